"""django-newsletter, the nearest peer that renders for each subscriber, where pip can install it.

It is asked to do what it does: a newsletter with subscribers in its database (SQLite), a mail of the same size made of
a template for each, submitted by its own `submit_queue`.
"""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

from bench.sink import Sink

VERSION = "1.2.1"
INSTALL_S = 120
SETTINGS = """
SECRET_KEY = "bench"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sites", "newsletter",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "peer.db"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
SITE_ID = 1
USE_TZ = True
ROOT_URLCONF = "newsletter.urls"
NEWSLETTER_THUMBNAIL = "sorl-thumbnail"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["templates"], "APP_DIRS": True}]
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = "127.0.0.1"
"""
SCRIPT = """
import sys, time
from datetime import timedelta

import django
from django.conf import settings
from django.core.management import call_command

django.setup()
settings.EMAIL_PORT = int(sys.argv[1])
from django.contrib.sites.models import Site
from django.utils.timezone import now
from newsletter.models import Message, Newsletter, Submission, Subscription

call_command("migrate", verbosity=0)
newsletter = Newsletter.objects.create(title="Bench", slug="bench", email="news@coalition.example", sender="Bench")
newsletter.site.set(Site.objects.all())
Subscription.objects.bulk_create(
    Subscription(newsletter=newsletter, name_field=f"Reader {n}", email_field=f"reader{n}@example.org", subscribed=True)
    for n in range(int(sys.argv[2]))
)
message = Message.objects.create(title="The news of this month", slug="news", newsletter=newsletter)
submission = Submission.from_message(message)
Submission.objects.update(prepared=True, publish_date=now() - timedelta(hours=1))
started = time.perf_counter()
Submission.submit_queue()
print(time.perf_counter() - started)
"""
TEXT = "Dear {{ subscription.name }},\n\n{{ words|safe }}\n"


def rate(scratch: Path, server: Sink, messages: int, size: int) -> float | None:
    """Messages a second, each of some `size` bytes; None, with the reason printed, when it can not be had."""
    folder = scratch / "django-newsletter"
    templates = folder / "templates" / "newsletter" / "message" / "bench"
    templates.mkdir(parents=True)
    python = folder / "env" / "bin" / "python"
    try:
        venv.create(folder / "env", with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", f"django-newsletter=={VERSION}", "sorl-thumbnail"]
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"django-newsletter is left out: pip can not install it ({type(error).__name__})")
        return None
    sentence = "The county library and the city museum opened their new reading room together. "
    words = "".join(
        f'{sentence}<a href="https://example.org/{n}">Read</a>\n' for n in range(size // 2 // len(sentence))
    )
    text = TEXT.replace("{{ words|safe }}", words)
    (templates / "message.txt").write_text(text)
    (templates / "message.html").write_text(f"<html><body><p>{text}</p></body></html>")
    (templates / "message_subject.txt").write_text("{{ subscription.name }}, {{ message.title }}")
    (folder / "peer_settings.py").write_text(SETTINGS)
    (folder / "peer.py").write_text(SCRIPT)
    done = subprocess.run(
        [str(python), "peer.py", str(server.port), str(messages)],
        check=True, capture_output=True, text=True, cwd=folder, env={"DJANGO_SETTINGS_MODULE": "peer_settings"},
    )  # fmt: skip
    if server.messages() != messages:  # it only logs what fails
        print(f"django-newsletter is left out: {server.messages()} of its {messages} messages arrived")
        return None
    return messages / float(done.stdout.split()[-1])
