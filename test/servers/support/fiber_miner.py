"""A miner for tests: speaks signed requests, in both dialects, over loopback. It holds no real key."""
import argparse
import base64
import hashlib
import json
import re
import signal
import ssl
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bittensor_wallet import Keypair
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PEM = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
WINDOW_S, KEY_LIFE_S = 120, 5 * 3600
NAMES = ["validator-hotkey", "miner-hotkey", "nonce", "signature", "symmetric-key-uuid"]
FETCH, POLL, EXCHANGE = "/weather-initiate-fetch", "/weather-poll-job-status", "/exchange-symmetric-key"
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


class Refusal(Exception):
    """An answer other than 200: its status, and what a miner puts under `detail`."""


class Miner:
    def __init__(self, options):
        self.options, self.lock, self.nonces, self.posts = options, threading.Lock(), {}, 0
        self.hotkey = Keypair.create_from_seed("0x" + options.seed).ss58_address
        self.forget()

    def forget(self):  # what a crash does: another RSA key, and no symmetric keys
        self.rsa_key, self.keys = rsa.generate_private_key(public_exponent=65537, key_size=2048), {}

    def now(self):
        return time.time() + self.options.skew

    def check_nonce(self, nonce):
        stamp = nonce.split("_")[0]
        with self.lock:
            self.nonces = {seen: until for seen, until in self.nonces.items() if until > self.now()}
            if nonce in self.nonces or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 20):
                raise Refusal(401, "nonce not valid: used before, or malformed")
            self.nonces[nonce] = self.now() + WINDOW_S
        if abs(self.now() - int(stamp) / 1e9) > WINDOW_S:
            raise Refusal(401, "nonce not valid: outside of the window")

    def check_caller(self, headers, body):  # in the order of the real miners: stake, headers, nonce, signature
        caller = headers.get("validator-hotkey")
        if caller and self.options.allow and caller not in self.options.allow:
            raise Refusal(403, "Hotkey not found in metagraph")
        missing = [name for name in NAMES[: 4 if self.options.unencrypted else 5] if headers.get(name) is None]
        if missing:
            raise Refusal(422, [{"type": "missing", "loc": ["header", name]} for name in missing])
        self.check_nonce(headers["nonce"])
        last = hashlib.sha256(body).hexdigest() if self.options.unencrypted else headers["symmetric-key-uuid"]
        message = f"{headers['nonce']}:{headers['miner-hotkey']}:{last}".encode()
        try:
            good = headers["signature"][:2] == "0x" and Keypair(caller).verify(message, headers["signature"])
        except Exception:  # the package raises errors of its own for a malformed address or signature
            good = False
        if not good:
            raise Refusal(401, "invalid signature")

    def take_key(self, headers, body):
        try:
            key = self.rsa_key.decrypt(base64.b64decode(json.loads(body)["encrypted_symmetric_key"]), OAEP)
        except ValueError:
            raise Refusal(401, "cannot decrypt that symmetric key") from None
        self.keys[headers[NAMES[0]], headers[NAMES[4]]] = Fernet(base64.urlsafe_b64encode(key)), self.now() + KEY_LIFE_S
        return {"status": "Symmetric key exchanged successfully"}

    def answer(self, path, data):
        if path == POLL:
            return {"job_id": data["job_id"], "status": self.options.status, "message": None}
        if data.get("expected_miner_hotkey") not in (None, self.hotkey):
            return {"status": "fetch_rejected", "message": "hotkey verification failed", "actual_hotkey": self.hotkey}
        moment = re.sub(r"\D", "", data["forecast_start_time"][:19])
        digest = hashlib.sha256(f"weather_job_forecast_{moment}_{self.hotkey}".encode()).digest()
        return {"status": "fetch_accepted", "job_id": str(uuid.UUID(bytes=digest[:16], version=4)), "message": None}

    def post(self, path, headers, body):
        if path not in (FETCH, POLL) and (path != EXCHANGE or self.options.unencrypted):
            raise Refusal(404, "Not Found")
        self.check_caller(headers, body)
        if path == EXCHANGE:
            return self.take_key(headers, body)
        if not self.options.unencrypted:
            fernet, until = self.keys.get((headers[NAMES[0]], headers[NAMES[4]]), (None, 0))
            if fernet is None or until < self.now():
                raise Refusal(400, "No symmetric key found for that hotkey and uuid")
            body = fernet.decrypt(body)
        return self.answer(path, json.loads(body)["data"])

    def get(self, path):
        if path != "/public-encryption-key" or self.options.unencrypted:
            raise Refusal(404, "Not Found")
        return {"public_key": self.rsa_key.public_key().public_bytes(*PEM).decode(), "timestamp": self.now()}


class Handler(BaseHTTPRequestHandler):
    protocol_version, miner, log_message = "HTTP/1.1", None, lambda *_: None

    def reply(self, answer):
        try:
            status, kind, body = 200, "application/json", json.dumps(answer()).encode()
        except Refusal as refusal:
            status, kind, body = refusal.args[0], "application/json", json.dumps({"detail": refusal.args[1]}).encode()
        except (InvalidToken, ValueError, KeyError, TypeError, AttributeError):
            status, kind, body = 500, "text/plain; charset=utf-8", b"Traceback (most recent call last): ..."
        self.send_response(status)
        for name, value in (("content-type", kind), ("content-length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(lambda: self.miner.get(self.path))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.miner.posts == self.miner.options.forget_after:
            self.miner.forget()
        self.miner.posts += 1
        self.reply(lambda: self.miner.post(self.path, self.headers, body))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, help="0 takes a free one")
    parser.add_argument("--seed", default="02" * 32, help="64 hex digits that the hotkey is made of")
    parser.add_argument("--skew", type=float, default=0, help="seconds this miner's clock is ahead (negative: behind)")
    parser.add_argument("--forget-after", type=int, help="forget all keys once, before the POST after so many")
    parser.add_argument("--allow", action="append", help="a validator hotkey that may call; repeatable (default: all)")
    parser.add_argument("--unencrypted", action="store_true", help="speak only the unencrypted dialect")
    parser.add_argument("--status", default="completed", help="what a poll answers")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="PEM files: serve https")
    Handler.miner = miner = Miner(parser.parse_args())
    server = ThreadingHTTPServer(("127.0.0.1", miner.options.port), Handler)
    if miner.options.tls:
        (context := ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)).load_cert_chain(*miner.options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    signal.signal(signal.SIGUSR1, lambda *_: miner.forget())
    print(f"ready {server.server_address[1]} {miner.hotkey}", flush=True)
    server.serve_forever()
