"""Describes every RPC of every owner by reflection and makes one call to each, with gRPC's own package.

In: the file that OWNERS names. Out: how many of each, or the first that is not as it should be.
"""

import json
import os

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def described(pool, method):
    service, _, name = method.partition("/")
    found = pool.FindServiceByName(service).FindMethodByName(name)
    assert found is not None, f"{method} is not described"
    return found


def made(channel, pool, owner):
    method = described(pool, owner["method"])
    request = message_factory.GetMessageClass(method.input_type)()
    json_format.ParseDict(owner["request"], request)
    call = channel.unary_unary(
        "/" + owner["method"],
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    try:
        call(request, timeout=60, metadata=[("freehold-caller", owner["caller"])])
        code = 0
    except grpc.RpcError as error:
        code = error.code().value[0]
    assert code == owner["code"], f"{owner['method']} ended with {code}"


def main():
    with open(os.environ["OWNERS"], encoding="utf-8") as file:
        owners = json.load(file)
    methods = 0
    for owner in owners:
        with grpc.insecure_channel(owner["address"]) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            pool = DescriptorPool(database)
            listed = set(database.get_services())
            for method in owner["methods"]:
                assert method.partition("/")[0] in listed, f"{method}: its service is not listed in {listed}"
                described(pool, method)
                methods += 1
            made(channel, pool, owner)
    print(f"described {methods} methods, made {len(owners)} calls")


main()
