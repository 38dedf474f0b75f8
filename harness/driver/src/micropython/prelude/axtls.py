import sys, time, machine, network, socket, ussl, umqtt.simple
_new, _n = False, network.WLAN(network.STA_IF)
class _ssl:
    CERT_NONE = CERT_OPTIONAL = CERT_REQUIRED = None
