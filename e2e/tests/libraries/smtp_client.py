"""Python's smtplib: mails in the clear and by STARTTLS, in the charsets and forms that scripts write, and what is refused."""

import datetime
import json
import smtplib
import ssl
import sys
from email.mime.text import MIMEText
from email.message import EmailMessage

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if sys.argv[1] == "certificate":
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False).sign(key, hashes.SHA256())
    with open(sys.argv[2], "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    with open(sys.argv[3], "wb") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    raise SystemExit

port, token, authority = int(sys.argv[1]), sys.argv[2], sys.argv[3]
to = f"db+{token}@alerts.example"
client = smtplib.SMTP("localhost", port, timeout=30)

gbk = MIMEText("主从延迟过大\r\n[P2][PROBLEM][smtp-body][][第二]\r\n", "plain", "gbk")
gbk["Subject"] = "[P0][PROBLEM][smtp-gbk][10.8.3.21][主机宕机]"
gbk["From"], gbk["To"], gbk["Message-ID"] = "mon@db", to, "<1@db>"
gbk["Date"] = "Sat, 21 Nov 2026 03:10:00 +0000"
refused = client.sendmail("mon@db", [to], gbk.as_bytes())
client.sendmail("mon@db", [to], gbk.as_bytes())

encrypted = smtplib.SMTP("localhost", port, timeout=30)
context = ssl.create_default_context(cafile=authority)
encrypted.starttls(context=context)
html = EmailMessage()
html["Subject"] = "** PROBLEM Service Alert: smtp-html/disk is CRITICAL **"
html["From"], html["To"] = "nagios@db", to
html.set_content("<html><head><style>b{}</style></head><body><p>Host: smtp-html</p></body></html>", subtype="html")
html.add_attachment(b"[P0]", maintype="application", subtype="pdf", filename="graph.pdf")
encrypted.send_message(html)
cipher = encrypted.sock.cipher()[1]
over = EmailMessage()
over["Subject"], over["From"], over["To"] = "** RECOVERY Service Alert: smtp-html/disk is OK **", "nagios@db", to
over.set_content("Host: smtp-html\n")
encrypted.send_message(over)
encrypted.quit()

codes = []
for stranger in ("nobody@alerts.example", f"{token}@elsewhere.example"):
    try:
        client.sendmail("a@b", [stranger], b"Subject: x\r\n\r\ny")
    except smtplib.SMTPRecipientsRefused as error:
        codes.extend(code for code, _ in error.recipients.values())
try:
    client.sendmail("a@b", [to], b"x" * (5 << 20))
except smtplib.SMTPResponseException as error:
    codes.append(error.smtp_code)
print(json.dumps({"codes": codes, "cipher": cipher, "version": ".".join(map(str, sys.version_info[:3]))}))
