def _message(topic, content):
    _r("message", len(content), repr(topic))
umqtt.simple.socket = _Net()
