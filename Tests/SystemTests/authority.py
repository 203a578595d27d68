"""Certificates for tests."""

import os
import subprocess


class Authority:
    """Signs certificates, as a company's own authority does."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.file = directory / "ca.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=authority", "-keyout", directory / "ca.key", "-out", self.file,
        )  # fmt: skip

    def sign(self, name, certificate=None, key=None, subject=None, names="IP:127.0.0.1"):
        """Files of a certificate for this name and of its key; those of an earlier one may be replaced."""
        certificate, key = certificate or self.directory / f"{name}.pem", key or self.directory / f"{name}.key"
        request, new, new_key = (self.directory / f"new.{ending}" for ending in ("csr", "pem", "key"))
        self._openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", subject or f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", new_key, "-out", request,
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.directory / "ca.key", "-days", "2",
            "-copy_extensions", "copy", "-out", new,
        )  # fmt: skip
        os.replace(new_key, key)
        os.replace(new, certificate)
        return certificate, key

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
