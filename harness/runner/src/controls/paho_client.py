"""Publishes one message with Paho, as a JSON file says, and tells by its exit code whether that went well."""

import json
import ssl
import sys

import paho.mqtt.client as mqtt

PUBLISHED, FAILED = 0, 1


def context(told):
    """A client's TLS as the documentation of Python's `ssl` recommends it: certificates and names are checked."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(told["authorities"])
    if told["certificate"]:
        tls.load_cert_chain(told["certificate"], told["key"])
    tls.keylog_filename = told["key_log"]
    return tls


def main(file):
    with open(file, encoding="utf-8") as stream:
        told = json.load(stream)
    outcome = {"code": FAILED}
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2,
        client_id=told["client_id"],
        clean_session=told["clean_session"],
        protocol=mqtt.MQTTv311,
        reconnect_on_failure=False,
    )
    if told["user_name"] is not None:
        client.username_pw_set(told["user_name"], told["password"])
    if told["authorities"]:
        client.tls_set_context(context(told))

    def on_connect(client, _userdata, _flags, reason, _properties):
        print("CONNACK:", reason, file=sys.stderr)
        if not reason.is_failure:
            client.publish(told["topic"], told["payload"], qos=1)

    def on_publish(client, _userdata, _packet, _reason, _properties):
        outcome["code"] = PUBLISHED
        client.disconnect()

    client.on_connect = on_connect
    client.on_publish = on_publish
    try:
        client.connect(told["host"], told["port"], told["keep_alive_s"])
        client.loop_forever(retry_first_connection=False)
    except OSError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return outcome["code"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
