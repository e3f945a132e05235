"""The messages of the suite, made at run time: `messages.rs` has the same table. And its paths."""

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool

SERVICE = "grpc.testing.TestService"

# Each message, and its fields by name: number, type, and whether there are many.
MESSAGES = {
    "Empty": {},
    "Payload": {"body": (2, "bytes", False)},
    "EchoStatus": {"code": (1, "int32", False), "message": (2, "string", False)},
    "BoolValue": {"value": (1, "bool", False)},
    "SimpleRequest": {
        "response_size": (2, "int32", False),
        "payload": (3, "Payload", False),
        "response_status": (7, "EchoStatus", False),
        "expect_compressed": (8, "BoolValue", False),
    },
    "SimpleResponse": {"payload": (1, "Payload", False)},
    "StreamingInputCallRequest": {"payload": (1, "Payload", False)},
    "StreamingInputCallResponse": {"aggregated_payload_size": (1, "int32", False)},
    "ResponseParameters": {"size": (1, "int32", False)},
    "StreamingOutputCallRequest": {
        "response_parameters": (2, "ResponseParameters", True),
        "payload": (3, "Payload", False),
        "response_status": (7, "EchoStatus", False),
    },
    "StreamingOutputCallResponse": {"payload": (1, "Payload", False)},
}

# Each method and the messages that it takes and gives.
METHODS = {
    "EmptyCall": ("Empty", "Empty"),
    "UnaryCall": ("SimpleRequest", "SimpleResponse"),
    "StreamingInputCall": ("StreamingInputCallRequest", "StreamingInputCallResponse"),
    "StreamingOutputCall": ("StreamingOutputCallRequest", "StreamingOutputCallResponse"),
    "FullDuplexCall": ("StreamingOutputCallRequest", "StreamingOutputCallResponse"),
    "UnimplementedCall": ("Empty", "Empty"),
}


def _classes():
    field = descriptor_pb2.FieldDescriptorProto
    kinds = {"bytes": field.TYPE_BYTES, "int32": field.TYPE_INT32, "string": field.TYPE_STRING, "bool": field.TYPE_BOOL}
    file = descriptor_pb2.FileDescriptorProto(name="testing.proto", package="grpc.testing", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind, many) in fields.items():
            added = message.field.add(name=field_name, number=number)
            added.label = field.LABEL_REPEATED if many else field.LABEL_OPTIONAL
            added.type = kinds.get(kind, field.TYPE_MESSAGE)
            if kind in MESSAGES:
                added.type_name = f".grpc.testing.{kind}"
    pool = DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"grpc.testing.{name}")) for name in MESSAGES
    }


CLASSES = _classes()


def serialized(message):
    return message.SerializeToString()


def payload(size):
    return CLASSES["Payload"](body=bytes(size))
