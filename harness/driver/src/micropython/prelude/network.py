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
