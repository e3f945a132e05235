"""The server's side of the cases, with gRPC's own package: `server.py READY` writes its address to the file READY.

It prints `began METHOD`, and `cancelled METHOD` when a call ends because its caller does not want it any more.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from testing import CLASSES, METHODS, SERVICE, payload, serialized

Input = CLASSES["StreamingInputCallResponse"]
Output = CLASSES["StreamingOutputCallResponse"]


def watched(method, context):
    """Says that the call began, and when it ends because it was cancelled.

    Requests may just end when a call is cancelled, so only the package's own state tells that from a caller who is done.
    """
    state = context._state
    cancelled = grpc._server._CANCELLED
    # Before the line that callers wait for: a call that has ended takes no callback any more.
    context.add_callback(lambda: state.client == cancelled and print(f"cancelled {method}", flush=True))
    print(f"began {method}", flush=True)


def refuse(request, context):
    status = request.response_status
    if status.code:
        codes = {code.value[0]: code for code in grpc.StatusCode}
        context.abort(codes[status.code], status.message)


def empty(request, context):
    return request


def unary(request, context):
    refuse(request, context)
    return CLASSES["SimpleResponse"](payload=payload(request.response_size))


def collected(requests, context):
    watched("StreamingInputCall", context)
    return Input(aggregated_payload_size=sum(len(request.payload.body) for request in requests))


def outputs(request, context):
    refuse(request, context)
    for parameters in request.response_parameters:
        yield Output(payload=payload(parameters.size))


def duplex(requests, context):
    watched("FullDuplexCall", context)
    for request in requests:
        yield from outputs(request, context)


def handler(kind, behaviour, method):
    taken, _ = METHODS[method]
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(behaviour, request_deserializer=CLASSES[taken].FromString, response_serializer=serialized)


def main():
    handlers = {
        "EmptyCall": handler("unary_unary", empty, "EmptyCall"),
        "UnaryCall": handler("unary_unary", unary, "UnaryCall"),
        "StreamingInputCall": handler("stream_unary", collected, "StreamingInputCall"),
        "StreamingOutputCall": handler("unary_stream", outputs, "StreamingOutputCall"),
        "FullDuplexCall": handler("stream_stream", duplex, "FullDuplexCall"),
    }
    server = grpc.server(ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    ready = sys.argv[1]
    with open(f"{ready}.new", "w", encoding="utf-8") as file:
        file.write(f"http://127.0.0.1:{port}")
    os.rename(f"{ready}.new", ready)
    server.wait_for_termination()


main()
