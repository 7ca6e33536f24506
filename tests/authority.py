"""A time-stamping authority for the tests, made of ``openssl ts``."""

from __future__ import annotations

import subprocess
from pathlib import Path

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """An authority with a root of its own; `root` is the file to be trusted."""

    def __init__(self, folder: Path, name: str = "Test Authority") -> None:
        folder.mkdir()
        self.folder, self.root = folder, folder / "root.pem"
        self._write("ca.cnf", name + " Root")
        self._write("tsa.cnf", name)
        (folder / "serial").write_text("01\n")
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl(
            "req",
            "-x509",
            *new,
            "-config",
            "ca.cnf",
            "-extensions",
            "root",
            "-days",
            "3650",
            "-keyout",
            "root.key",
            "-out",
            "root.pem",
        )
        self._openssl("req", *new, "-config", "tsa.cnf", "-keyout", "tsa.key", "-out", "tsa.csr")
        self._openssl(
            "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "3650",
            "-extfile", "tsa.cnf", "-extensions", "stamping", "-out", "tsa.pem",
        )  # fmt: skip

    def stamp(self, request: Path, out: Path) -> Path:
        """What the authority answers to a request."""
        self._openssl(
            "ts", "-reply", "-config", "tsa.cnf", "-section", "here", "-queryfile", str(request.resolve()), "-signer", "tsa.pem",
            "-inkey", "tsa.key", "-out", str(out.resolve()),
        )  # fmt: skip
        return out

    def verifies(self, content: Path, token: Path) -> bool:
        """Whether openssl itself finds the token good."""
        words = ["openssl", "ts", "-verify", "-data", content, "-in", token, "-CAfile", self.root]
        return subprocess.run(words, capture_output=True).returncode == 0

    def _write(self, file: str, name: str) -> None:
        (self.folder / file).write_text(CONFIGURATION.format(folder=self.folder, name=name))

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60)
