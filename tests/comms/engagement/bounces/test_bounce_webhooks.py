"""Reports of providers: believed only when they are shown to be theirs, and read in each provider's own words."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from comms.config import Bounces
from comms.engagement.bounces.models import Kind
from comms.engagement.bounces.webhooks import READERS, checks, mailgun, postmark, sendgrid, ses
from comms.engagement.bounces.webhooks.base import RefusedError, Request
from comms.errors import ConfigError

NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:bounces"
CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123.pem"
SUBSCRIBE_URL = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
MAILGUN_KEY = "key-0123456789"


def certificate(days: int = 1) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(RSA.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(RSA, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


class Web:
    """Stands where the network is: what lies at which address, and which were asked for."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = {CERTIFICATE_URL: certificate(), SUBSCRIBE_URL: b"<ConfirmSubscriptionResponse/>", **pages}
        self.asked: list[str] = []

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise OSError("no route")
        return self.pages[url]


def sns(version: str = "2", **changes: Any) -> dict[str, Any]:
    """What SNS posts, signed as it signs; `changes` are made before that."""
    message = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": json.dumps(SES_BOUNCE),
        "Timestamp": "2027-02-01T11:59:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **changes,
    }
    message = {name: value for name, value in message.items() if value is not None}
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = RSA.sign(ses.string_to_sign(message), padding.PKCS1v15(), algorithm)
    return {**message, "Signature": b64encode(signature).decode()}


SES_BOUNCE = {
    "notificationType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [
            {"emailAddress": "ben@example.org", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
        ],
    },
    "mail": {
        "source": "news@coalition.example.org",
        "commonHeaders": {"messageId": "<spring.coalition.7@coalition.example.org>"},
    },
}


def posted(message: object, **headers: str) -> Request:
    return Request(headers, json.dumps(message).encode())


# --- Amazon SES -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["Amazon SES", None])
def test_what_amazon_signed_for_our_topic_is_kept_and_the_certificate_fetched_once(
    version: str, subject: str | None
) -> None:
    web = Web()
    check = ses.SesCheck(TOPIC, web)
    for _ in range(2):
        assert check(posted(sns(version, Subject=subject)), NOW) is True
    assert web.asked == [CERTIFICATE_URL]


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject", "Timestamp", "Signature", "SignatureVersion"])
def test_a_notification_changed_anywhere_is_refused(field: str) -> None:
    message = sns()
    message[field] = "1" if field == "SignatureVersion" else message[field][:-4] + "AAA="
    with pytest.raises(RefusedError):
        ses.SesCheck(TOPIC, Web())(posted(message), NOW)


def test_another_topic_is_refused_though_amazon_signed_it() -> None:
    web = Web()
    with pytest.raises(RefusedError, match="another topic"):
        ses.SesCheck(TOPIC, web)(posted(sns(TopicArn=TOPIC + "2")), NOW)
    assert web.asked == [], "nothing is fetched for strangers"


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
        "https://s3.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com:8443/x.pem",
        "https://SNS.us-east-1.amazonaws.com\n.evil.example/x.pem",
        "https://[::1/x.pem",
        7,
    ],
)
def test_a_certificate_from_anywhere_else_is_not_even_fetched(url: object) -> None:
    web = Web()
    with pytest.raises(RefusedError, match="not Amazon's"):
        ses.SesCheck(TOPIC, web)(posted(sns(SigningCertURL=url)), NOW)
    assert web.asked == []


@pytest.mark.parametrize("page", [certificate(days=-1), b"no certificate", EC.public_key().public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)])  # fmt: skip
def test_a_certificate_that_is_over_or_none_is_refused(page: bytes) -> None:
    with pytest.raises(RefusedError, match="certificate"):
        ses.SesCheck(TOPIC, Web(**{CERTIFICATE_URL: page}))(posted(sns()), NOW)


def test_the_subscription_of_our_topic_is_confirmed_and_holds_nothing_to_keep() -> None:
    web = Web()
    greeting = sns(Type="SubscriptionConfirmation", Token="abc", SubscribeURL=SUBSCRIBE_URL, Subject=None)
    assert ses.SesCheck(TOPIC, web)(posted(greeting), NOW) is False
    assert web.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]
    elsewhere = sns(Type="SubscriptionConfirmation", Token="abc", SubscribeURL="https://evil.example/")
    with pytest.raises(RefusedError, match="not Amazon's"):
        ses.SesCheck(TOPIC, web)(posted(elsewhere), NOW)


def test_a_bounce_of_amazon_is_read_through_its_wrapping() -> None:
    (report,) = ses.read(json.dumps(sns()).encode())
    assert (report.bounced.recipient, report.bounced.kind, report.bounced.status) == (
        "ben@example.org",
        Kind.NO_USER,
        "5.1.1",
    )
    assert (report.message_id, report.sender) == (
        "spring.coalition.7@coalition.example.org",
        "news@coalition.example.org",
    )


# --- Postmark ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("HardBounce", "smtp;550 5.1.1 The email account that you tried to reach does not exist", Kind.NO_USER),
        ("HardBounce", "action: failed", Kind.NO_USER),
        ("HardBounce", "smtp;550 5.7.1 blocked using a blocklist", Kind.BLOCK),
        ("SoftBounce", "smtp;452 4.2.2 mailbox full", Kind.FULL),
        ("SoftBounce", "smtp;550 5.1.1 no such user", Kind.OTHER),
        ("Transient", "", Kind.DELAYED),
        ("SpamComplaint", "", Kind.COMPLAINT),
        ("AutoResponder", "550 5.1.1 no such user", Kind.AUTO_REPLY),
        ("SMTPApiError", "", Kind.NONE),
    ],
)
def test_postmarks_types(kind: str, details: str, expected: Kind) -> None:
    record = {"RecordType": "Bounce", "Type": kind, "Email": "ben@example.org", "From": "news@coalition.example.org"}
    (report,) = postmark.read(json.dumps({**record, "Details": details}).encode())
    assert (report.bounced.recipient, report.bounced.kind) == ("ben@example.org", expected)
    assert report.sender == "news@coalition.example.org"


# --- Mailgun ----------------------------------------------------------------------------------


def mailgun_event(at: datetime = NOW, key: str = MAILGUN_KEY, **event: Any) -> dict[str, Any]:
    stamp, token = str(int(at.timestamp())), "a" * 50
    digest = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": stamp, "token": token, "signature": digest},
        "event-data": {"event": "failed", "severity": "permanent", "recipient": "ben@example.org", **event},
    }


def test_what_mailgun_signed_lately_is_kept() -> None:
    check = mailgun.MailgunCheck(MAILGUN_KEY)
    assert check(posted(mailgun_event()), NOW) is True
    assert check(posted(mailgun_event(NOW - timedelta(hours=8))), NOW) is True


@pytest.mark.parametrize(
    "message",
    [
        mailgun_event(key="another"),
        mailgun_event(NOW - timedelta(days=1)),
        mailgun_event(NOW + timedelta(hours=1)),
        {"signature": {"timestamp": "", "token": "", "signature": ""}},
        {"signature": "x"},
        [],
        None,
    ],
)
def test_what_mailgun_did_not_sign_or_long_ago_is_refused(message: object) -> None:
    with pytest.raises(RefusedError):
        mailgun.MailgunCheck(MAILGUN_KEY)(posted(message), NOW)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"delivery-status": {"code": 550, "message": "5.1.1 The email account does not exist"}}, Kind.NO_USER),
        ({"delivery-status": {"code": 550, "message": "5.7.1 blocked by policy"}}, Kind.BLOCK),
        ({"delivery-status": {"code": 552, "message": "mailbox is full"}}, Kind.FULL),
        ({"delivery-status": {"code": 550, "message": "go away"}}, Kind.OTHER),
        ({"reason": "suppress-bounce"}, Kind.NO_USER),
        ({"severity": "temporary", "delivery-status": {"message": "550 5.1.1 no such user"}}, Kind.DELAYED),
        ({"event": "complained"}, Kind.COMPLAINT),
        ({"event": "unsubscribed"}, Kind.UNSUBSCRIBE),
        ({"event": "opened"}, Kind.NONE),
    ],
)
def test_mailguns_events(event: dict[str, Any], expected: Kind) -> None:
    headers = {"message": {"headers": {"message-id": "spring.coalition.7@coalition.example.org"}}}
    (report,) = mailgun.read(json.dumps(mailgun_event(**event, **headers)).encode())
    assert report.bounced.kind is expected
    assert report.message_id == "spring.coalition.7@coalition.example.org"


# --- SendGrid ---------------------------------------------------------------------------------

SENDGRID_KEY = b64encode(EC.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def sendgrid_request(body: bytes, at: str = "1801483200") -> Request:
    signature = EC.sign(at.encode() + body, ec.ECDSA(hashes.SHA256()))
    return Request({sendgrid.SIGNATURE: b64encode(signature).decode(), sendgrid.TIMESTAMP: at}, body)


def test_what_sendgrid_signed_is_kept_and_what_was_changed_is_refused() -> None:
    check = sendgrid.SendgridCheck(SENDGRID_KEY)
    request = sendgrid_request(b"[]")
    assert check(request, NOW) is True
    for forged in (
        Request(request.headers, b"[ ]"),
        Request({**request.headers, sendgrid.TIMESTAMP: "1801483201"}, b"[]"),
        Request({**request.headers, sendgrid.SIGNATURE: "é"}, b"[]"),
        Request({}, b"[]"),
    ):
        with pytest.raises(RefusedError):
            check(forged, NOW)


@pytest.mark.parametrize("key", ["", "no base64!", b64encode(b"x").decode(), "é"])
def test_a_key_that_is_none_is_a_plain_message(key: str) -> None:
    with pytest.raises(ConfigError, match="sendgrid_key"):
        sendgrid.SendgridCheck(key)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such user"}, Kind.NO_USER),
        ({"event": "bounce", "type": "bounce", "bounce_classification": "Invalid Address"}, Kind.NO_USER),
        ({"event": "bounce", "type": "bounce", "reason": "550 we do not want it"}, Kind.OTHER),
        ({"event": "bounce", "type": "blocked", "reason": "550 5.1.1 no such user"}, Kind.BLOCK),
        ({"event": "dropped", "reason": "Bounced Address"}, Kind.NO_USER),
        ({"event": "spamreport"}, Kind.COMPLAINT),
        ({"event": "deferred", "response": "451 later"}, Kind.DELAYED),
        ({"event": "delivered"}, Kind.NONE),
    ],
)
def test_sendgrids_events(event: dict[str, Any], expected: Kind) -> None:
    body = json.dumps([{"email": "ben@example.org", "smtp-id": "<spring.coalition.7@x.example>", **event}, 7]).encode()
    (report,) = sendgrid.read(body)
    assert (report.bounced.kind, report.message_id) == (expected, "spring.coalition.7@x.example")


# --- all of them ------------------------------------------------------------------------------


@given(
    st.sampled_from(sorted(READERS)),
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from("event-data email Email RecordType Message mail bounce signature recipient".split()),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)
def test_whatever_is_posted_is_read_without_a_fault(provider: str, body: bytes) -> None:
    for report in READERS[provider](body):
        assert report.bounced.recipient


def test_deep_nesting_and_lone_surrogates_are_no_reports() -> None:
    for body in (b"[" * 100_000, b'{"event-data":{"event":"failed","recipient":"\\ud800@example.org"}}', b"\xff"):
        for read in READERS.values():
            for report in read(body):
                assert "\ud800" not in report.bounced.recipient


def test_only_what_the_settings_name_is_open() -> None:
    assert checks(Bounces(), Web()) == {}
    secret = "s" * 20
    assert set(checks(Bounces(webhook_secret=secret), Web())) == {"postmark"}
    every = Bounces(webhook_secret=secret, ses_topic=TOPIC, mailgun_key=MAILGUN_KEY, sendgrid_key=SENDGRID_KEY)
    assert set(checks(every, Web())) == set(READERS)
