import sys, time, machine, network, socket, ssl, umqtt.simple
_ssl, _new, _n = ssl, sys.implementation[1] >= (1, 23), network.WLAN(network.STA_IF)
def _r(*w):
    print("\x1e" + " ".join(str(x) for x in w))
def _join(ssid, key, ms, ps):
    _r("stage join")
    _n.active(True)
    if ps is not None and hasattr(_n, "PM_NONE"):
        _n.config(pm=_n.PM_PERFORMANCE if ps else _n.PM_NONE)
    _n.connect(ssid, key) if key else _n.connect(ssid)
    t = time.ticks_ms()
    while not _n.isconnected():
        if time.ticks_diff(time.ticks_ms(), t) > ms:
            raise OSError("no network, status %d" % _n.status())
        time.sleep_ms(10)
def _write(name, content):
    f = open(name, "wb")
    f.write(content)
    f.close()
def _read(name):
    f = open(name, "rb")
    b = f.read()
    f.close()
    return b
class _Net:
    def socket(self, *a):
        return socket.socket(*a)
    def getaddrinfo(self, *a):
        _r("stage resolve")
        x = socket.getaddrinfo(*a)
        _r("stage connect")
        return x
class _Tls:
    def __init__(self, name, reqs, ca, cert, key, ciphers):
        c = _ssl.SSLContext(_ssl.PROTOCOL_TLS_CLIENT)
        if cert:
            c.load_cert_chain(_read(cert), _read(key))
        if ca:
            c.load_verify_locations(cadata=_read(ca))
        if ciphers:
            getattr(c, "_context", c).set_ciphers(ciphers)
        c.verify_mode = reqs
        self.c, self.n = c, name
    def wrap_socket(self, s, **k):
        _r("stage hello")
        s = self.c.wrap_socket(s, server_hostname=self.n) if self.n else self.c.wrap_socket(s)
        _r("secured", *(reversed(s.cipher()) if hasattr(s, "cipher") else ()))
        _r("stage login")
        return s
def _message(topic, content):
    _r("message", len(content), repr(topic))
umqtt.simple.socket = _Net()
