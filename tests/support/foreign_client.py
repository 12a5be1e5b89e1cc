# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A gRPC client that shares no code with Nearfold: grpcio (gRPC's C core) and stubs by protoc.

foreign_client.py ADDRESS STUBS DATA: DATA is the file behind the data set "pairs", fixed:8, records
of two little-endian u32. Prints one line per check; exits with 1 at the first that fails.
"""

import concurrent.futures
import struct
import sys
import time

import grpc

address, stubs, data_path = sys.argv[1:4]
sys.path.insert(0, stubs)

import health_pb2  # noqa: E402
import nearfold_pb2 as nf  # noqa: E402
import status_pb2  # noqa: E402

data = open(data_path, "rb").read()
channel = grpc.insecure_channel(address)
SERVICE = "/nearfold.v1.Nearfold/"


def unary(method, request, reply, **options):
    call = channel.unary_unary(
        method, request_serializer=lambda m: m.SerializeToString(), response_deserializer=reply.FromString
    )
    return call(request, timeout=options.pop("timeout", 20), **options)


def stream(method, request, reply, **options):
    call = channel.unary_stream(
        method, request_serializer=lambda m: m.SerializeToString(), response_deserializer=reply.FromString
    )
    return call(request, timeout=options.pop("timeout", 20), **options)


def check(what, got, want):
    if got != want:
        sys.exit(f"FAIL: {what}: got {got!r}, want {want!r}")
    print(f"ok: {what}")


def fails(what, code, function, *args, **options):
    """The call must end with that code; returns its text and its ErrorDetail."""
    try:
        reply = function(*args, **options)
        if not hasattr(reply, "SerializeToString"):
            list(reply)
    except grpc.RpcError as e:
        check(what, e.code(), code)
        for key, value in e.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                status = status_pb2.RpcStatus.FromString(value)
                check(what + ": code in the details", status.code, code.value[0])
                check(what + ": type of the detail", status.details[0].type_url,
                      "type.googleapis.com/nearfold.v1.ErrorDetail")
                return e.details(), nf.ErrorDetail.FromString(status.details[0].value)
        return e.details(), None
    sys.exit(f"FAIL: {what}: the call succeeded")


def insn(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("<BBhi", code, src << 4 | dst, off, imm)


def program(offset=4):
    """state { u64 count, sum }: counts records and sums the u32 at that offset."""
    load64, load32, store64, add, add_imm, mov_imm, leave = 0x79, 0x61, 0x7B, 0x0F, 0x07, 0xB7, 0x95
    end = insn(mov_imm, 0) + insn(leave)
    reduce = (
        insn(load64, 5, 1, 0) + insn(add_imm, 5, imm=1) + insn(store64, 1, 5, 0)
        + insn(load32, 4, 2, offset) + insn(load64, 5, 1, 8) + insn(add, 5, 4) + insn(store64, 1, 5, 8)
    )
    combine = b"".join(
        insn(load64, 3, 1, at) + insn(load64, 4, 2, at) + insn(add, 3, 4) + insn(store64, 1, 3, at)
        for at in (0, 8)
    )
    return nf.Program(
        record_bytes=8,
        state_bytes=16,
        functions=[
            nf.Function(kind=nf.REDUCE, name="sum", insns=reduce + end),
            nf.Function(kind=nf.COMBINE, name="merge", insns=combine + end),
        ],
    )


def expected(start=0, end=None):
    """Records that start in [start, end), computed here."""
    end = len(data) if end is None else end
    values = [v for i, (_, v) in enumerate(struct.iter_unpack("<II", data)) if start <= 8 * i < end]
    return len(values), sum(values)


def execute(**fields):
    count = total = 0
    events = []
    for reply in stream(SERVICE + "Execute", nf.ExecuteRequest(dataset="pairs", **fields), nf.ExecuteReply):
        event = reply.WhichOneof("event")
        events.append(event)
        if event == "started":
            check("started: program id", reply.started.program_id, program_id)
            check("started: bytes", reply.started.total_bytes > 0, True)
        elif event == "partial":
            check("partial: one state", (reply.partial.groups, len(reply.partial.states)), (1, 16))
            more = struct.unpack("<QQ", reply.partial.states)
            count, total = count + more[0], total + more[1]
        elif event == "finished":
            finished = reply.finished
    check("first and last event", (events[0], events[-1]), ("started", "finished"))
    return count, total, finished


# ---- health, capabilities, data sets ------------------------------------------------------------------
HEALTH = "/grpc.health.v1.Health/"
for service in ("", "nearfold.v1.Nearfold"):
    reply = unary(HEALTH + "Check", health_pb2.HealthCheckRequest(service=service),
                  health_pb2.HealthCheckResponse)
    check(f"health of '{service}'", reply.status, health_pb2.HealthCheckResponse.SERVING)
fails("health of a stranger", grpc.StatusCode.NOT_FOUND, unary, HEALTH + "Check",
      health_pb2.HealthCheckRequest(service="no.such"), health_pb2.HealthCheckResponse)
watch = stream(HEALTH + "Watch", health_pb2.HealthCheckRequest(), health_pb2.HealthCheckResponse)
check("watched health", next(watch).status, health_pb2.HealthCheckResponse.SERVING)
watch.cancel()

capabilities = unary(SERVICE + "GetCapabilities", nf.GetCapabilitiesRequest(), nf.Capabilities)
check("the interpreter is there", [e.available for e in capabilities.engines if e.name == "interp"], [True])
names = [d.name for d in unary(SERVICE + "ListDatasets", nf.ListDatasetsRequest(), nf.ListDatasetsReply).datasets]
check("data sets", names, ["pairs"])
dataset = unary(SERVICE + "DescribeDataset", nf.DescribeDatasetRequest(name="pairs"), nf.Dataset)
check("format and size", (dataset.format, dataset.total_bytes), ("fixed:8", len(data)))

# ---- a program, made here ------------------------------------------------------------------------------
loaded = unary(SERVICE + "LoadProgram", nf.LoadProgramRequest(program=program()), nf.LoadProgramReply)
program_id = loaded.program_id
check("the id is a SHA-256", len(program_id), 32)
check("every access is proven", (loaded.accesses_proven > 0, loaded.accesses_guarded), (True, 0))
again = unary(SERVICE + "LoadProgram", nf.LoadProgramRequest(program=program()), nf.LoadProgramReply)
check("loading again gives the same id", again.program_id, program_id)

count, total, finished = execute(program_id=program_id)
check("count and sum, by id", (count, total), expected())
check("what Finished says", (finished.bytes_scanned, finished.records, finished.matched),
      (len(data), len(data) // 8, len(data) // 8))
count, total, finished = execute(program=program(), engine="interp", threads=3, chunk_bytes=4096)
check("count and sum, 3 threads, small chunks", (count, total), expected())
check("the engine asked for", finished.engine, "interp")
middle = nf.Range(start_bytes=800, end_bytes=80000)
count, total, finished = execute(program_id=program_id, range=middle, generation=dataset.generation)
check("count and sum of a range", (count, total), expected(800, 80000))

chunks = list(stream(SERVICE + "ReadRange", nf.ReadRangeRequest(dataset="pairs"), nf.ReadRangeReply))
check("ReadRange brings the bytes", b"".join(c.data for c in chunks) == data, True)

# ---- what goes wrong --------------------------------------------------------------------------------------
fails("unknown method", grpc.StatusCode.UNIMPLEMENTED, unary, SERVICE + "Nothing",
      nf.GetStatusRequest(), nf.Status)
_, detail = fails("unknown program", grpc.StatusCode.NOT_FOUND, stream, SERVICE + "Execute",
                  nf.ExecuteRequest(dataset="pairs", program_id=bytes(32)), nf.ExecuteReply)
check("what is missing", detail.missing, "program")
_, detail = fails("unknown data set", grpc.StatusCode.NOT_FOUND, stream, SERVICE + "Execute",
                  nf.ExecuteRequest(dataset="nothing", program_id=program_id), nf.ExecuteReply)
check("what is missing", detail.missing, "dataset")
_, detail = fails("a read past the record", grpc.StatusCode.INVALID_ARGUMENT, unary, SERVICE + "LoadProgram",
                  nf.LoadProgramRequest(program=program(offset=5)), nf.LoadProgramReply)
check("the verifier's report is in the details", bool(detail.report), True)
broken = program()
broken.functions[1].insns += b"odd"
text, detail = fails("half an instruction", grpc.StatusCode.INVALID_ARGUMENT, unary, SERVICE + "LoadProgram",
                     nf.LoadProgramRequest(program=broken), nf.LoadProgramReply)
check("its place", detail.where, "program.functions[1].insns")
fails("no program", grpc.StatusCode.INVALID_ARGUMENT, unary, SERVICE + "LoadProgram",
      nf.LoadProgramRequest(), nf.LoadProgramReply)
fails("an old generation", grpc.StatusCode.ABORTED, stream, SERVICE + "Execute",
      nf.ExecuteRequest(dataset="pairs", program_id=program_id, generation=dataset.generation ^ 1),
      nf.ExecuteReply)
fails("no time", grpc.StatusCode.DEADLINE_EXCEEDED, stream, SERVICE + "Execute",
      nf.ExecuteRequest(dataset="pairs", program_id=program_id), nf.ExecuteReply, timeout=0.000001)
fails("a compressed message", grpc.StatusCode.UNIMPLEMENTED, unary, SERVICE + "DescribeDataset",
      nf.DescribeDatasetRequest(name="p" * 200), nf.Dataset, compression=grpc.Compression.Gzip)
text, _ = fails("two megabytes", grpc.StatusCode.RESOURCE_EXHAUSTED, unary, SERVICE + "DescribeDataset",
                nf.DescribeDatasetRequest(name="p" * 2000000), nf.Dataset)
check("the limit is named", "262144" in text, True)

# ---- many at once, and one that is given up ----------------------------------------------------------------
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    jobs = [pool.submit(unary, SERVICE + "DescribeDataset", nf.DescribeDatasetRequest(name="pairs"), nf.Dataset)
            for _ in range(400)]
    check("400 calls, 8 at a time", sum(j.result().total_bytes for j in jobs), 400 * len(data))
call = stream(SERVICE + "ReadRange", nf.ReadRangeRequest(dataset="pairs"), nf.ReadRangeReply)
next(call)
call.cancel()
for _ in range(100):
    status = unary(SERVICE + "GetStatus", nf.GetStatusRequest(), nf.Status)
    if not status.queries:
        break
    time.sleep(0.02)
check("nothing runs after the cancel", list(status.queries), [])
channel.close()
