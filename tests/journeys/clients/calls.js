// Makes one call to each owner with k6, which has nothing but reflection to know the messages by, and has every RPC of the
// contract described: an RPC that k6 does not know is one that it refuses to call, before it sends anything.
//
// In: the file that OWNERS names. Out: how many of each, or an error.

import grpc from "k6/net/grpc";
import exec from "k6/execution";

const owners = JSON.parse(open(__ENV.OWNERS));
const client = new grpc.Client();
const codes = { 0: grpc.StatusOK, 5: grpc.StatusNotFound };

export const options = { vus: 1, iterations: 1, thresholds: { checks: [] } };

export default function () {
    let methods = 0;
    for (const owner of owners) {
        client.connect(owner.address, { plaintext: true, reflect: true, timeout: "60s" });
        const metadata = { "freehold-caller": owner.caller };
        const answer = client.invoke(owner.method, owner.request, { metadata, timeout: "60s" });
        if (answer.status !== codes[owner.code]) {
            exec.test.abort(`${owner.method} ended with ${answer.status}: ${JSON.stringify(answer.error)}`);
        }
        for (const method of owner.methods) {
            known(method);
            methods += 1;
        }
        client.close();
    }
    console.log(`described ${methods} methods, made ${owners.length} calls`);
}

// A field that no message has: k6 refuses the request by the message's name where it knows the method.
function known(method) {
    try {
        client.invoke(method, { noSuchField: 1 }, { timeout: "60s" });
    } catch (error) {
        if (String(error).includes("noSuchField")) {
            return;
        }
        exec.test.abort(`${method} is not described: ${error}`);
    }
    exec.test.abort(`${method} took a field that it does not have`);
}
