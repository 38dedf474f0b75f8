class _Tls:
    def __init__(self, name, reqs, ca, cert, key, ciphers):
        self.w, self.k = ussl.wrap_socket, {}
        if name:
            self.k["server_hostname"] = name
        if cert:
            self.k.update(cert=_read(cert), key=_read(key))
    def wrap_socket(self, s, **k):
        _r("stage hello")
        try:
            s = self.w(s, **self.k)
        except TypeError:
            self.k.pop("server_hostname", None)
            s = self.w(s, **self.k)
        _r("secured")
        _r("stage login")
        return s
