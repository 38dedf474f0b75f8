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
