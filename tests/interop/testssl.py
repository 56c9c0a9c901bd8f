"""testssl.sh against the default TLS settings and security_headers: no finding above LOW.

PROXYD_TESTSSL_SUMMARY=FILE keeps the summary.
"""
import json
import os

import harness
from harness import check

# Because the authority is the test's own and the certificate is made for a few days.
OURS = ("cert_chain_of_trust", "cert_trust", "cert_caIssuers", "cert_crlDistributionPoints",
        "cert_ocspURL", "OCSP_stapling", "DNS_CAArecord", "cert_revocation",
        "cert_certificatePolicies", "cert_expirationStatus", "cert_extlifeSpan",
        "certificate_transparency", "overall_grade", "grade_cap_reason", "final_score",
        "certs_countServer", "scanProblem",
        # Of the tool: its OpenSSL has no GOST, and it does not get through its own handshake
        # there. openssl.py shows that nothing is renegotiated.
        "engine_problem", "secure_renego")
FINE = ("OK", "INFO", "LOW", "DEBUG")


def prove(binary):
    harness.need("testssl", "openssl")
    stage = harness.Stage(binary, host="    security_headers: true")
    report = os.path.join(stage.directory, "testssl.json")
    try:
        done = harness.run(
            ["testssl", "--quiet", "--color", "0", "--ip", "127.0.0.1", "--jsonfile", report,
             "--warnings", "off", "--sneaky", f"localhost:{stage.https}"],
            limit=float(os.environ.get("PROXYD_TESTSSL_LIMIT", "600")),
            env={**os.environ, "ADDITIONAL_CA_FILES": stage.ca})
        with open(report, encoding="utf-8") as file:
            findings = json.load(file)
        bad = [f"{each['severity']} {each['id']}: {each['finding']}" for each in findings
               if each["severity"] not in FINE and not each["id"].startswith(OURS)]
        if os.environ.get("PROXYD_TESTSSL_SUMMARY"):
            with open(os.environ["PROXYD_TESTSSL_SUMMARY"], "w", encoding="utf-8") as file:
                file.write(done.stdout)
        check(len(findings) > 100, f"only {len(findings)} findings: {done.stdout[-3000:]}")
        offered = {each["id"]: each["finding"] for each in findings}
        check("offered" in offered.get("TLS1_3", ""), offered.get("TLS1_3"))
        check(not bad, "\n".join(bad))
    finally:
        stage.close()
    low = [each["id"] for each in findings if each["severity"] == "LOW"]
    return f"testssl.sh: {len(findings)} findings, none above LOW (LOW: {', '.join(low) or 'none'})"


harness.main(prove)
