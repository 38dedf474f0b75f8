"""A board with a network of its own, for the tests: a flasher that takes any image, a pseudo-terminal as the serial port,
and a firmware that trusts everybody. It has nothing of the bench's: its TLS is this machine's Python's.

    device.py SERIAL HOST PORT
"""
import json
import os
import socket
import ssl
import sys
import threading
import tty


def say(words):
    os.write(board, words.encode() + b"\r\n")


def firmware(host, port):
    """What the board does after each reset."""
    try:
        say("network: joined, dialling")
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        with socket.create_connection((host, port), timeout=10) as plain:
            say("tls: connecting")
            with trusting.wrap_socket(plain, server_hostname=host) as tls:
                # MQTT 3.1.1 §3.1: CONNECT, clean session, 60 s, client identifier "wall".
                tls.sendall(bytes.fromhex("101000044d5154540402003c000477616c6c"))
                answer = tls.recv(4)
                if answer != bytes.fromhex("20020000"):
                    return say(f"mqtt: refused {answer.hex()}")
                # §3.3 PUBLISH with QoS 0 of "21.5" to "t", §3.14 DISCONNECT.
                tls.sendall(bytes.fromhex("300700017432312e35e000"))
        say("mqtt: published")
    except OSError as error:
        say(f"tls: failed {error.errno or 0} {getattr(error, 'reason', None) or type(error).__name__}")


serial, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
board, line = os.openpty()
tty.setraw(line)
if os.path.lexists(serial):
    os.remove(serial)
os.symlink(os.ttyname(line), serial)
for request in sys.stdin:
    request = json.loads(request)["request"]
    if request == "quit":
        break
    print(json.dumps({"answer": "done"}), flush=True)
    if request == "reset":
        threading.Thread(target=firmware, args=(host, port), daemon=True).start()
