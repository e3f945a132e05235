"""The client's side of the cases, with gRPC's own package: `client.py ADDRESS CASE..` plays each and says that it passed."""

import queue
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from testing import CLASSES, METHODS, SERVICE, payload, serialized

ADDRESS = sys.argv[1]
LONG = 60
REQUESTS = (27182, 8, 1828, 45904)
ANSWERS = (31415, 9, 2653, 58979)
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"

SimpleRequest = CLASSES["SimpleRequest"]
BoolValue = CLASSES["BoolValue"]
EchoStatus = CLASSES["EchoStatus"]


def call(channel, kind, method, service=SERVICE):
    _, answer = METHODS[method]
    make = getattr(channel, kind)
    return make(f"/{service}/{method}", request_serializer=serialized, response_deserializer=CLASSES[answer].FromString)


def output(request_size, *answer_sizes, **more):
    parameters = [CLASSES["ResponseParameters"](size=size) for size in answer_sizes]
    sent = payload(request_size) if request_size is not None else None
    return CLASSES["StreamingOutputCallRequest"](response_parameters=parameters, payload=sent, **more)


def refusal(work):
    try:
        work()
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError("it was not refused")


def empty_unary(channel):
    answer = call(channel, "unary_unary", "EmptyCall")(CLASSES["Empty"](), timeout=LONG)
    assert answer == CLASSES["Empty"](), answer


def large(channel):
    request = SimpleRequest(response_size=314159, payload=payload(271828))
    answer = call(channel, "unary_unary", "UnaryCall")(request, timeout=LONG)
    assert answer.payload.body == bytes(314159), len(answer.payload.body)


def large_unary(channel):
    large(channel)


def concurrent_large_unary(channel):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: large(channel), range(64)))


def client_compressed_unary(channel):
    unary = call(channel, "unary_unary", "UnaryCall")

    def asked(expected, compression):
        request = SimpleRequest(
            expect_compressed=BoolValue(value=expected), response_size=314159, payload=payload(271828)
        )
        return unary(request, timeout=LONG, compression=compression)

    code, _ = refusal(lambda: asked(True, grpc.Compression.NoCompression))
    assert code == grpc.StatusCode.INVALID_ARGUMENT, code
    for expected, compression in [(True, grpc.Compression.Gzip), (False, grpc.Compression.NoCompression)]:
        assert len(asked(expected, compression).payload.body) == 314159


def client_streaming(channel):
    requests = (CLASSES["StreamingInputCallRequest"](payload=payload(size)) for size in REQUESTS)
    answer = call(channel, "stream_unary", "StreamingInputCall")(requests, timeout=LONG)
    assert answer.aggregated_payload_size == 74922, answer


def server_streaming(channel):
    answers = call(channel, "unary_stream", "StreamingOutputCall")(output(None, *ANSWERS), timeout=LONG)
    assert [len(answer.payload.body) for answer in answers] == list(ANSWERS)


class Sent:
    """A stream of requests that goes on as the caller says, and stays open until then."""

    def __init__(self):
        self.requests = queue.Queue()

    def send(self, request):
        self.requests.put(request)

    def close(self):
        self.requests.put(None)

    def __iter__(self):
        return iter(self.requests.get, None)


def ping_pong(channel):
    sent = Sent()
    answers = call(channel, "stream_stream", "FullDuplexCall")(iter(sent), timeout=LONG)
    for request, answer in zip(REQUESTS, ANSWERS):
        sent.send(output(request, answer))
        assert len(next(answers).payload.body) == answer
    sent.close()
    assert list(answers) == []


def empty_stream(channel):
    answers = call(channel, "stream_stream", "FullDuplexCall")(iter([]), timeout=LONG)
    assert list(answers) == []


def custom_metadata(channel):
    initial = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
    trailing = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")
    request = SimpleRequest(response_size=314159, payload=payload(271828))
    unary = call(channel, "unary_unary", "UnaryCall")
    _, answered = unary.with_call(request, timeout=LONG, metadata=[initial, trailing])
    duplex = call(channel, "stream_stream", "FullDuplexCall")
    streamed = duplex(iter([output(271828, 314159)]), timeout=LONG, metadata=[initial, trailing])
    assert len(list(streamed)) == 1
    for answer in (answered, streamed):
        assert initial in [tuple(entry) for entry in answer.initial_metadata()], answer.initial_metadata()
        assert trailing in [tuple(entry) for entry in answer.trailing_metadata()], answer.trailing_metadata()


def status(channel, text):
    wanted = EchoStatus(code=2, message=text)
    unary = call(channel, "unary_unary", "UnaryCall")
    duplex = call(channel, "stream_stream", "FullDuplexCall")
    asked = [
        lambda: unary(SimpleRequest(response_status=wanted), timeout=LONG),
        lambda: list(duplex(iter([output(None, response_status=wanted)]), timeout=LONG)),
    ]
    for one in asked:
        assert refusal(one) == (grpc.StatusCode.UNKNOWN, text), refusal(one)


def status_code_and_message(channel):
    status(channel, "test status message")


def special_status_message(channel):
    status(channel, SPECIAL)


def unimplemented_method(channel):
    code, _ = refusal(lambda: call(channel, "unary_unary", "UnimplementedCall")(CLASSES["Empty"](), timeout=LONG))
    assert code == grpc.StatusCode.UNIMPLEMENTED, code


def unimplemented_service(channel):
    unary = call(channel, "unary_unary", "UnimplementedCall", "grpc.testing.UnimplementedService")
    code, _ = refusal(lambda: unary(CLASSES["Empty"](), timeout=LONG))
    assert code == grpc.StatusCode.UNIMPLEMENTED, code


def cancel_after_begin(channel):
    sent = Sent()
    begun = call(channel, "stream_unary", "StreamingInputCall").future(iter(sent), timeout=LONG)
    begun.cancel()
    sent.close()
    assert begun.code() == grpc.StatusCode.CANCELLED, begun.code()


def cancel_after_first_response(channel):
    sent = Sent()
    answers = call(channel, "stream_stream", "FullDuplexCall")(iter(sent), timeout=LONG)
    sent.send(output(27182, 31415))
    assert len(next(answers).payload.body) == 31415
    answers.cancel()
    sent.close()
    assert answers.code() == grpc.StatusCode.CANCELLED, answers.code()


def timeout_on_sleeping_server(channel):
    sent = Sent()
    sent.send(output(27182))
    answers = call(channel, "stream_stream", "FullDuplexCall")(iter(sent), timeout=0.001)
    code, _ = refusal(lambda: list(answers))
    sent.close()
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED, code


for case in sys.argv[2:]:
    with grpc.insecure_channel(ADDRESS) as connected:
        globals()[case](connected)
    print(f"{case}: passed", flush=True)
