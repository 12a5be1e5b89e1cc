# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A private PostgreSQL 15 for sql_oracle.py: its own data folder, a UNIX socket and no port, ended
by its process id. Collation "C", encoding UTF-8, time zone UTC.
"""
import csv
import ctypes
import io
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

BIN = os.environ.get("POSTGRES_BIN", "/usr/lib/postgresql/15/bin")
NULL = "\x02null"
MARK = "\x02mark"


class Answer:
    """Either error (and code, SQLSTATE) or names, types and rows: texts, None for NULL."""

    def __init__(self, error=None, code="", names=(), types=(), rows=()):
        self.error, self.code = error, code
        self.names, self.types, self.rows = list(names), list(types), list(rows)


def missing():
    """Why there is no PostgreSQL 15 to ask, or None."""
    for program in ("initdb", "postgres", "psql"):
        if not os.access(os.path.join(BIN, program), os.X_OK):
            return f"no {program} in {BIN}: install postgresql-15"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "PostgreSQL does not run as root, and there is no user postgres"
    return None


class Postgres:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="nearfold-pg.")
        self.server = None
        self.who = {}
        data = os.path.join(self.folder, "data")
        os.mkdir(data, 0o700)
        if os.geteuid() == 0:  # PostgreSQL refuses root
            user = pwd.getpwnam("postgres")
            self.who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            for path in (self.folder, data):
                os.chown(path, user.pw_uid, user.pw_gid)
        self.log = open(os.path.join(self.folder, "log"), "w+")
        try:
            self.start(data)
        except BaseException:
            self.stop()
            raise

    def start(self, data):
        self.run([os.path.join(BIN, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-N",
                  "--locale=C", "-E", "UTF8"])
        libc = ctypes.CDLL(None)
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off",
                    "shared_buffers": "16MB", "max_connections": "8", "autovacuum": "off",
                    "jit": "off", "timezone": "UTC", "max_parallel_workers_per_gather": "0",
                    "max_worker_processes": "0", "statement_timeout": "30s",
                    # LIMIT would end before all groups are made, and with them what fails.
                    "enable_incremental_sort": "off"}
        command = [os.path.join(BIN, "postgres"), "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # It goes when we go, however that is: PR_SET_PDEATHSIG.
        self.server = subprocess.Popen(command, stdout=self.log, stderr=self.log,
                                       stdin=subprocess.DEVNULL, cwd="/", **self.who,
                                       preexec_fn=lambda: libc.prctl(1, signal.SIGQUIT))
        deadline = time.monotonic() + 30
        while not os.path.exists(os.path.join(self.folder, ".s.PGSQL.5432")) or self.psql(
                "SELECT 1;")[1]:
            if self.server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not start:\n" + self.log_text())
            time.sleep(0.05)

    def run(self, command):
        if subprocess.run(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                          cwd="/", **self.who).returncode != 0:
            raise RuntimeError(f"{command[0]} failed:\n" + self.log_text())

    def log_text(self):
        with open(self.log.name, errors="replace") as log:
            return log.read()

    def psql(self, script):
        """Standard output and standard error."""
        done = subprocess.run([os.path.join(BIN, "psql"), "-X", "-q", "-h", self.folder, "-U",
                               "postgres", "-d", "postgres"], input=script.encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(os.environ, PGCLIENTENCODING="UTF8"))
        return done.stdout.decode(), done.stderr.decode()

    def load(self, table):
        err = self.psql("\\set ON_ERROR_STOP on\n" + table.load())[1]
        if err:
            raise RuntimeError(f"loading {table.name}: {err}")

    def ask(self, queries):
        """Their Answers, in one session."""
        script = [f"\\pset format csv\n\\pset null '{NULL}'\n\\pset footer off\n"]
        for query in queries:
            script.append(f"\\echo {MARK}\n{query}\n\\gdesc\n\\echo {MARK}\n{query}\n\\g\n"
                          f"\\echo {MARK}\n\\echo :ERROR :SQLSTATE :LAST_ERROR_MESSAGE\n")
        out, err = self.psql("".join(script))
        parts = out.split(MARK + "\n")[1:]
        if len(parts) != 3 * len(queries):
            raise RuntimeError(f"psql gave {len(parts)} parts for {len(queries)} queries: "
                               + err[-2000:])
        return [answer(*parts[i:i + 3]) for i in range(0, len(parts), 3)]

    def stop(self):
        if self.server:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.server.send_signal(signal.SIGQUIT)
                self.server.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def answer(described, selected, verdict):
    failed, code, message = verdict.rstrip("\n").split(" ", 2)
    if failed == "true":
        return Answer(error=message, code=code)
    columns = csv_rows(described)[1:]
    types = [c[1].split("(")[0] for c in columns]
    rows = [[cell_text(kind, cell) for kind, cell in zip(types, row)]
            for row in csv_rows(selected)[1:]]
    return Answer(names=[c[0] for c in columns], types=types, rows=rows)


def cell_text(kind, cell):
    if kind == "boolean":  # psql's first letters
        return {"t": "true", "f": "false", NULL: None}[cell]
    return None if cell == NULL else cell


def csv_rows(text):
    return [row or [""] for row in csv.reader(io.StringIO(text, newline=""))]
