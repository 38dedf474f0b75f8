"""Holds a place of labgrid as long as standard input is open, with its serial port at a pseudo-terminal.

    hold.py PLACE LINK

Says `ready` when the bench may open LINK. The place is acquired and released by labgrid-client, and its port, wherever
the exporter has it, is opened by labgrid's own driver: nothing in here knows their protocols. LG_COORDINATOR and the
other variables of labgrid hold.
"""

import os
import pty
import queue
import select
import subprocess
import sys
import threading
import time
import tty

from labgrid import Target
from labgrid.driver import SerialDriver
from labgrid.resource.remote import RemotePlace


def client(place, *arguments):
    """Runs labgrid-client; ends this program, with what it said, if it fails."""
    program = os.path.join(os.path.dirname(sys.executable), "labgrid-client")
    done = subprocess.run([program, "-p", place, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(" ".join((done.stderr or done.stdout).split()))


def open_port(place):
    target = Target("board")
    RemotePlace(target, name=place)
    driver = SerialDriver(target, name=None)
    target.activate(driver)
    return driver.serial


def open_terminal(link):
    """A pseudo-terminal without echo and line editing, with a symbolic link to the bench's end of it."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    name = os.ttyname(theirs)
    os.close(theirs)
    # A link that somebody left behind is replaced; anything else is left alone.
    if os.path.islink(link):
        os.unlink(link)
    os.symlink(name, link)
    return ours


def is_open(terminal):
    """Whether the bench has its end open."""
    poll = select.poll()
    poll.register(terminal, 0)
    return not poll.poll(0)


def from_board(port, terminal):
    """What a board says while nobody listens is lost, as on any serial port."""
    port.timeout = 1
    while True:
        said = port.read(1)
        said += port.read(port.in_waiting)
        while said and is_open(terminal):
            said = said[os.write(terminal, said) :]


def to_board(port, terminal):
    while True:
        try:
            said = os.read(terminal, 4096)
        except OSError:
            # Nobody has the other end open, and nothing tells when somebody does.
            time.sleep(0.01)
            continue
        port.write(said)


def watch(lost, body, *arguments):
    """Runs `body` aside; the main thread is told when it ends, and why."""

    def run():
        try:
            lost.put(body(*arguments))
        except Exception as error:
            lost.put(f"the port of the place is gone: {error}")

    threading.Thread(target=run, daemon=True).start()


def main(place, link):
    client(place, "acquire")
    lost = queue.Queue()
    try:
        port = open_port(place)
        terminal = open_terminal(link)
        watch(lost, from_board, port, terminal)
        watch(lost, to_board, port, terminal)
        watch(lost, lambda: sys.stdin.buffer.read() and None)
        print("ready", flush=True)
        why = lost.get()
    finally:
        if os.path.islink(link):
            os.unlink(link)
        client(place, "release")
    # The threads still wait for bytes.
    sys.stdout.flush()
    if why:
        print(why, file=sys.stderr, flush=True)
    os._exit(1 if why else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
