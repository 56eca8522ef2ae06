"""Is DNS asked as a client would, and is every way of not answering said?"""

import socket
import threading

import pytest

from namewarden.health import LOCALHOST, dns_problem


@pytest.fixture
def listener():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def said(listener, reply):
    def answer():
        data, address = listener.recvfrom(512)
        listener.sendto(reply(data), address)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        return dns_problem([f"127.0.0.1:{listener.getsockname()[1]}"])
    finally:
        thread.join()


def test_an_answer_to_localhost_is_health(listener):
    record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1"
    assert said(listener, lambda q: q[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + q[12:] + record) == []


@pytest.mark.parametrize(
    "reply", [lambda q: q[:2] + b"\x81\x82" + q[4:], lambda q: b"\0\0" + q[2:]]
)
def test_a_wrong_answer_is_said(listener, reply):
    (problem,) = said(listener, reply)
    assert "answers localhost wrongly" in problem


def test_silence_is_said_with_the_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{free.getsockname()[1]}"
    (problem,) = dns_problem([endpoint])
    assert problem.startswith(endpoint) and "no answer" in problem
    assert len(LOCALHOST) == 27
