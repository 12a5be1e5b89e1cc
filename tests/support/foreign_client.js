// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// A second gRPC stack that shares no code with Nearfold: grpc-js, HTTP/2 by Node.js.
// foreign_client.js ADDRESS PROTO-FOLDER DATA; DATA is the file behind the data set "pairs", fixed:8.
"use strict";
const fs = require("fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [address, protos, dataPath] = process.argv.slice(2);
const options = { keepCase: true, longs: BigInt, enums: String, defaults: true, oneofs: true, includeDirs: [protos] };
const { nearfold, grpc: { health } } = grpc.loadPackageDefinition(
	loader.loadSync(["nearfold.proto", "health.proto", "status.proto"], options));
const plain = grpc.credentials.createInsecure();
const node = new nearfold.v1.Nearfold(address, plain);
const data = fs.readFileSync(dataPath);

function check(what, got, want) {
	if (String(got) !== String(want)) {
		console.log(`FAIL: ${what}: got ${got}, want ${want}`);
		process.exit(1);
	}
	console.log(`ok: ${what}`);
}

const unary = (client, method, request, deadlineMs = 20000) => new Promise((resolve, reject) =>
	client[method](request, { deadline: Date.now() + deadlineMs }, (e, reply) => (e ? reject(e) : resolve(reply))));

const collect = (call) => new Promise((resolve, reject) => {
	const messages = [];
	call.on("data", (m) => messages.push(m)).on("error", reject).on("end", () => resolve(messages));
});

async function fails(what, code, promise) {
	try {
		await promise;
	} catch (e) {
		check(what, e.code, code);
		return e;
	}
	return check(what, "success", code);
}

function insn(code, dst = 0, src = 0, off = 0, imm = 0) {
	const b = Buffer.alloc(8);
	b.writeUInt8(code, 0);
	b.writeUInt8((src << 4) | dst, 1);
	b.writeInt16LE(off, 2);
	b.writeInt32LE(imm, 4);
	return b;
}

// state { u64 count, sum }: counts records and sums their second u32
const end = [insn(0xb7, 0), insn(0x95)];
const reduce = [insn(0x79, 5, 1, 0), insn(0x07, 5, 0, 0, 1), insn(0x7b, 1, 5, 0), insn(0x61, 4, 2, 4),
	insn(0x79, 5, 1, 8), insn(0x0f, 5, 4), insn(0x7b, 1, 5, 8)];
const combine = [0, 8].flatMap((at) =>
	[insn(0x79, 3, 1, at), insn(0x79, 4, 2, at), insn(0x0f, 3, 4), insn(0x7b, 1, 3, at)]);
const program = {
	record_bytes: 8, state_bytes: 16, functions: [
		{ kind: "REDUCE", name: "sum", insns: Buffer.concat([...reduce, ...end]) },
		{ kind: "COMBINE", name: "merge", insns: Buffer.concat([...combine, ...end]) },
	],
};

async function main() {
	const service = new health.v1.Health(address, plain);
	check("health", (await unary(service, "Check", { service: "" })).status, "SERVING");
	check("data set", (await unary(node, "DescribeDataset", { name: "pairs" })).total_bytes, data.length);
	const loaded = await unary(node, "LoadProgram", { program });
	check("the id is a SHA-256", loaded.program_id.length, 32);

	let count = 0n, sum = 0n, wantSum = 0n;
	const events = await collect(node.Execute({ dataset: "pairs", program_id: loaded.program_id, threads: 2 }));
	for (const { event, partial } of events)
		if (event === "partial") {
			count += partial.states.readBigUInt64LE(0);
			sum += partial.states.readBigUInt64LE(8);
		}
	for (let at = 4; at < data.length; at += 8)
		wantSum += BigInt(data.readUInt32LE(at));
	check("first and last event", [events[0].event, events[events.length - 1].event], ["started", "finished"]);
	check("count", count, data.length / 8);
	check("sum", sum, wantSum);

	const chunks = await collect(node.ReadRange({ dataset: "pairs" }));
	check("ReadRange brings the bytes", Buffer.concat(chunks.map((c) => c.data)).equals(data), true);

	const missing = await fails("unknown program", grpc.status.NOT_FOUND,
		collect(node.Execute({ dataset: "pairs", program_id: Buffer.alloc(32) })));
	check("the details are there", missing.metadata.get("grpc-status-details-bin").length, 1);
	await fails("bad request", grpc.status.INVALID_ARGUMENT, unary(node, "DescribeDataset", { name: "" }));
	await fails("too long", grpc.status.RESOURCE_EXHAUSTED,
		unary(node, "DescribeDataset", { name: "n".repeat(1000000) }));
	await fails("no time", grpc.status.DEADLINE_EXCEEDED, unary(node, "GetStatus", {}, 0));
	const cancelled = node.ReadRange({ dataset: "pairs" });
	cancelled.once("data", () => cancelled.cancel());
	await fails("cancel", grpc.status.CANCELLED, collect(cancelled));
	const calls = Array.from({ length: 200 }, () => unary(node, "GetCapabilities", {}));
	check("200 calls at once", (await Promise.all(calls)).length, 200);
	node.close();
	service.close();
}

main().catch((e) => {
	console.log(`FAIL: ${e}`);
	process.exit(1);
});
