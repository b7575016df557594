"""Second blind set: notices in other forms, absences, and people, labelled before the rules were run on it."""

from __future__ import annotations

from blind_forms import Case, letter, original, prose

AUTO = "Auto-Submitted: auto-replied\n"


def notices() -> list[Case]:
    to = "m.keller@stadtarchiv.example"
    below = original(to)
    rows = [
        ("notes-fr", "hard", "Postmaster@mairie.example", "ECHEC DE LA REMISE : Winter news",
         f"Votre message\n\n  Objet : Winter news\n\nn'a pas été remis à :\n\n  {to}\n\npour la raison suivante :\n\n  550 5.1.1 utilisateur inconnu"),
        ("zimbra-web", "full", "MAILER-DAEMON@zimbra.example", "Undelivered Mail Returned to Sender",
         f"<{to}>: mail not delivered: mailbox of the recipient is over quota, 552 5.2.2"),
        ("kerio-de", "hard", "postmaster@kerio.example", "Unzustellbare Nachricht: Winter news",
         f"Die Nachricht konnte nicht zugestellt werden an: {to}\nGrund: 550 5.1.1 Empfänger unbekannt"),
        ("merak-it", "full", "postmaster@merak.example", "Mancata consegna: Winter news",
         f"Il messaggio non è stato consegnato a {to}\nMotivo: 552 casella piena"),
        ("exim-pt", "hard", "Mail Delivery System <Mailer-Daemon@servidor.example>", "Falha na entrega da mensagem",
         f"Uma mensagem enviada não pôde ser entregue:\n\n  {to}\n    550 5.1.1 Usuário inexistente"),
        ("coremail-zh", "hard", "postmaster@coremail.example", "系统退信",
         f"抱歉,您的邮件被退回来了……\n收件人: {to}\n退信原因: 550 5.1.1 收件人不存在 (User not exist)"),
        ("coremail-zh-spam", "blocked", "postmaster@coremail.example", "系统退信",
         f"抱歉,您的邮件被退回来了……\n收件人: {to}\n退信原因: 550 5.1.1 用户不存在或被反垃圾策略拒绝"),
        ("sendmail-ja", "soft", "MAILER-DAEMON@mail.example", "配送遅延のお知らせ",
         f"<{to}> への配送が遅延しています。引き続き配送を試みます。\n451 4.4.1 接続がタイムアウトしました"),
        ("yandex-ru", "hard", "mailer-daemon@yandex.example", "Недоставленное сообщение",
         f"Это письмо отправлено почтовым сервером.\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может быть доставлено.\n\n<{to}>: host mx said: 550 5.1.1 пользователь не существует (in reply to RCPT TO command)"),
        ("mailru-delay", "soft", "mailer-daemon@corp.example", "Доставка отложена",
         f"<{to}>: 451 4.7.1 временно недоступно, попытки будут продолжены"),
        ("es-plesk", "hard", "MAILER-DAEMON@plesk.example", "Correo devuelto",
         f"Su mensaje no pudo ser entregado a:\n\n<{to}>: 550 5.1.1 El usuario no existe en este servidor"),
        ("es-no-policy", "blocked", "MAILER-DAEMON@plesk.example", "Correo devuelto",
         f"Su mensaje no pudo ser entregado a:\n\n<{to}>: 550 5.7.1 El remitente no existe en la lista de permitidos"),
        ("office-closed", "hard", "postmaster@office.example", "Undeliverable: Winter news",
         f"Your message to {to} could not be delivered.\n\nThe domain stadtarchiv.example does not exist (550 5.1.2)."),
        ("quarantine", "blocked", "postmaster@gateway.example", "Message returned: Winter news",
         f"Your message to {to} was not delivered. Reason: held in quarantine, recipient not found on your list of contacts (550 5.7.1)."),
    ]  # fmt: skip
    return [
        Case(
            "notice",
            name,
            prose(f"{text}\n\n--- Original message ---\n\n{below}", sender=sender, subject=subject),
            {to: label},
        )
        for name, label, sender, subject, text in rows
    ]


def answers() -> list[Case]:
    rows = [
        ("left-es", "auto", "Ana <ana@museo.example>", "Respuesta automática: Winter news", AUTO,
         "Ya no trabajo en el museo. Mi dirección dejará de existir; escriba a info@museo.example."),
        ("closed-mailbox", "auto", "Old Desk <desk@library.example>", "This mailbox is no longer monitored", AUTO,
         "This mailbox is not monitored any more and will be closed. Please use hello@library.example."),
        ("jira", "auto", "Jira <jira@city.example>", "[JIRA] Your request CITY-4411 was created", "Auto-Submitted: auto-generated\nPrecedence: bulk\nIn-Reply-To: <run-41.8812@coalition.example>\n",
         "Just confirming that we got your request. View it in the portal."),
        ("pl-vacation", "auto", "Ewa <ewa@muzeum.example>", "Autoodpowiedź: Winter news", AUTO, "Jestem na urlopie do 10 lutego."),
        ("sv-vacation", "auto", "Nils <nils@arkiv.example>", "Autosvar: Winter news", AUTO, "Jag är tillbaka den 9 februari."),
        ("challenge-de", "auto", "Uwe <uwe@verein.example>", "Bitte bestätigen: Winter news", AUTO,
         "Bitte bestätigen Sie, dass Sie kein Roboter sind, damit Ihre Nachricht zugestellt wird: https://verein.example/c/1"),
        ("thanks", "none", "Jo <jo@friends.example>", "Re: Winter news", "In-Reply-To: <run-41.8812@coalition.example>\n",
         "Lovely issue! PS: your last mail to board@friends.example came back with 550 user unknown, please use me instead."),
        ("pasted-bounce", "none", "Max <max@verein.example>", "Problem with your newsletter", "",
         "Hi, our provider says:\n\n<board@verein.example>: 550 5.1.1 User unknown\n\nCan you check?"),
        ("postmaster-human", "none", "Postmaster <postmaster@hoster.example>", "Re: delivery problems to our customers", "In-Reply-To: <abc@coalition.example>\n",
         "Hello, we removed the block. Addresses that answer 550 5.1.1 do not exist with us; please remove those."),
    ]  # fmt: skip
    return [
        Case("answer", name, letter(text + "\n", sender=sender, subject=subject, extra=extra), message=label)
        for name, label, sender, subject, extra, text in rows
    ]


def cases() -> list[Case]:
    return [*notices(), *answers()]
