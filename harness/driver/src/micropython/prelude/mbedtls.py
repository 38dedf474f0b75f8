import sys, time, machine, network, socket, ssl, umqtt.simple
_ssl, _new, _n = ssl, sys.implementation[1] >= (1, 23), network.WLAN(network.STA_IF)
