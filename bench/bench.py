#!/usr/bin/env python3
"""Runs the same Compose files on swcompose and, where a Docker daemon and `docker compose` are found, on those,
in turn, and prints medians and ratios.

The peer needs `dockerd` running and `docker compose` (or --peer PATH of the docker-compose binary). Every service is
busybox from one image, made here, so that no registry is needed.
"""

import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

IMAGE = "swcompose-bench:busybox"


def sleepers(count):
    services = "".join(
        f"  s{n}:\n    image: {IMAGE}\n    command: [sleep, '100000']\n    stop_signal: SIGKILL\n" for n in range(count)
    )
    return "services:\n" + services


THREE_TIER = f"""
x-check: &check {{ interval: 1s, timeout: 2s, retries: 20 }}
services:
  web:
    image: {IMAGE}
    command: [sleep, '100000']
    stop_signal: SIGKILL
    depends_on: {{ app: {{ condition: service_healthy }} }}
    healthcheck: {{ test: [CMD, 'true'], <<: *check }}
  app:
    image: {IMAGE}
    command: [sleep, '100000']
    stop_signal: SIGKILL
    depends_on: {{ db: {{ condition: service_healthy }} }}
    healthcheck: {{ test: [CMD, 'true'], <<: *check }}
  db:
    image: {IMAGE}
    command: [sh, -c, 'sleep 0.5; touch /ready; exec sleep 100000']
    stop_signal: SIGKILL
    healthcheck: {{ test: [CMD, test, -f, /ready], <<: *check }}
"""

# nc -ll of busybox forks for every connection: a source of zeros that needs no other image.
PUBLISHED = f"""
services:
  source:
    image: {IMAGE}
    command: [nc, -ll, -p, '9000', -e, sh, -c, 'dd if=/dev/zero bs=1M count=1024 2>/dev/null']
    stop_signal: SIGKILL
    ports: ['127.0.0.1:{{port}}:9000']
"""




def typical_services(count):
    """A project as people write them: what is long in real ones is there, in short and long forms."""
    lines = ["services:"]
    for n in range(count):
        lines += [
            f"  svc{n}:",
            f"    image: registry.example.com/team/app{n}:1.{n}",
            "    command: [serve, --port, '8080']",
            "    environment:",
            "      LOG_LEVEL: info",
            f"      INDEX: '{n}'",
            f"      DB_URL: postgres://user:${{DB_PASSWORD:-secret}}@db{n % 10}:5432/app",
            f"    ports: ['{10000 + n}:8080']",
            f"    volumes: ['data{n % 20}:/var/lib/app', './conf/{n}:/etc/app:ro']",
            "    networks: [front, back]",
            f"    labels: {{com.example.index: '{n}', com.example.team: platform}}",
            "    healthcheck: {test: [CMD, curl, -f, http://localhost:8080/health], interval: 10s, retries: 5}",
            "    restart: unless-stopped",
            "    deploy: {resources: {limits: {cpus: '0.5', memory: 256M}}}",
        ]
        if n % 10:
            lines.append(f"    depends_on: [svc{n - 1}]")
    lines += ["networks: {front: {}, back: {internal: true}}", "volumes:"]
    lines += [f"  data{n}: {{}}" for n in range(min(count, 20))]
    return "\n".join(lines) + "\n"


class Tool:
    def __init__(self, name, command, environment=None):
        self.name, self.command = name, command
        self.environment = dict(os.environ, **(environment or {}))

    def run(self, directory, *arguments, check=True):
        start = time.perf_counter()
        done = subprocess.run(
            [*self.command, *arguments],
            cwd=directory, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
        )
        seconds = time.perf_counter() - start
        if check and done.returncode != 0:
            sys.exit(f"{self.name} {' '.join(arguments)} failed ({done.returncode}):\n{done.stdout}")
        return seconds

    def run_measured(self, directory, *arguments):
        """Seconds, and the greatest resident size in MiB, of the process and its children."""
        start = time.perf_counter()
        process = subprocess.Popen(
            [*self.command, *arguments], cwd=directory, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{self.name} {' '.join(arguments)} failed ({process.returncode})")
        return time.perf_counter() - start, usage.ru_maxrss / 1024

    def import_image(self, tarball):
        raise NotImplementedError


class Swcompose(Tool):
    def import_image(self, tarball):
        self.run("/", "image", "import", tarball, IMAGE)


class DockerCompose(Tool):
    def import_image(self, tarball):
        subprocess.run(["docker", "import", tarball, IMAGE], check=True, stdout=subprocess.DEVNULL)


def busybox_tarball(directory):
    root = pathlib.Path(directory, "root")
    (root / "bin").mkdir(parents=True)
    (root / "tmp").mkdir()
    shutil.copy("/bin/busybox", root / "bin/busybox")
    for applet in subprocess.check_output(["/bin/busybox", "--list"], text=True).split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    tarball = os.path.join(directory, "busybox.tar")
    subprocess.run(["tar", "-C", str(root), "-cf", tarball, "."], check=True)
    return tarball


def project(directory, name, text):
    path = pathlib.Path(directory, name)
    path.mkdir(exist_ok=True)
    (path / "compose.yaml").write_text(text)
    return str(path)


def pss_of(pids):
    total = 0
    for pid in pids:
        try:
            for line in open(f"/proc/{pid}/smaps_rollup", encoding="ascii"):
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / 1024


def processes(patterns):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                name = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0")[0].decode()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if any(pattern in os.path.basename(name) for pattern in patterns):
                found.append(int(entry))
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def throughput(port):
    received, start = 0, None
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            time.sleep(0.05)
            continue
        with connection:
            buffer = bytearray(1 << 20)
            start = time.perf_counter()
            while count := connection.recv_into(buffer):
                received += count
        if received:
            return received / (time.perf_counter() - start) / 1e6
        time.sleep(0.05)
    return float("nan")


def measure_config(tool, directory, rounds):
    """As measure, for what needs no daemon."""
    values = {}
    for count in (3, 1000):
        path = project(directory, f"config{count}", typical_services(count))
        for _ in range(max(5, rounds)):
            seconds, size = tool.run_measured(path, "config")
            values.setdefault(f"config, {count} services", []).append(seconds)
            values.setdefault(f"config, {count} services (MiB)", []).append(size)
    return values


def measure(tool, directory, rounds):
    """A dictionary of measure to the list of its values; seconds unless the name says otherwise."""
    values = {}

    def note(name, value):
        values.setdefault(name, []).append(value)

    three = project(directory, "three", THREE_TIER)
    for _ in range(rounds):
        note("three tiers: up until healthy", tool.run(three, "up", "-d", "--wait", "--wait-timeout", "60"))
        tool.run(three, "down", "-v")
    for count, times in ((1, rounds), (20, max(3, rounds // 2)), (100, max(1, rounds // 5))):
        many = project(directory, f"many{count}", sleepers(count))
        for _ in range(times):
            note(f"up -d, {count} services", tool.run(many, "up", "-d"))
            if count == 20:
                for _ in range(5):
                    note("ps, 20 containers", tool.run(many, "ps"))
                patterns = ["swcompose"] if isinstance(tool, Swcompose) else ["dockerd", "containerd", "docker-proxy"]
                note("PSS with 20 containers (MiB)", pss_of(processes(patterns)))
            if count == 1:
                for _ in range(5):
                    note("exec -T s true", tool.run(many, "exec", "-T", "s0", "true"))
                patterns = ["swcompose"] if isinstance(tool, Swcompose) else ["dockerd", "containerd", "docker-proxy"]
                note("PSS with 1 container (MiB)", pss_of(processes(patterns)))
            note(f"down, {count} services", tool.run(many, "down"))
    port = free_port()
    published = project(directory, "published", PUBLISHED.format(port=port))
    tool.run(published, "up", "-d")
    for _ in range(3):
        note("published port (MB/s)", throughput(port))
    tool.run(published, "down")
    return values


def find_peer(path, needs_daemon):
    probe = ["docker", "info"]
    if needs_daemon and subprocess.run(
        probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode:
        return None
    if path:
        return DockerCompose("docker compose", [path])
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return DockerCompose("docker compose", ["docker", "compose"]) if plugin.returncode == 0 else None


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--swcompose", required=True)
    arguments.add_argument("--peer", help="path of the docker-compose binary, where it is no plugin")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--config-only", action="store_true", help="only what needs neither root nor a daemon")
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory(prefix="swcompose-bench-") as directory:
        roots = {
            "SWCOMPOSE_DATA_ROOT": os.path.join(directory, "data"),
            # Where the real one is: on a file system in memory, on most hosts.
            "SWCOMPOSE_RUN_ROOT": f"/run/swcompose-bench-{os.getpid()}",
        }
        tools = [Swcompose("swcompose", [options.swcompose], roots)]
        try:
            peer = find_peer(options.peer, not options.config_only)
        except FileNotFoundError:
            peer = None
        if peer:
            tools.append(peer)
        else:
            print("no Docker daemon with docker compose found: swcompose alone\n")
        results = [measure_config(tool, directory, options.rounds) for tool in tools]
        if not options.config_only:
            tarball = busybox_tarball(directory)
            for tool, values in zip(tools, results):
                tool.import_image(tarball)
                values.update(measure(tool, directory, options.rounds))
        shutil.rmtree(roots["SWCOMPOSE_RUN_ROOT"], ignore_errors=True)

    width = max(len(name) for name in results[0])
    print(f"{'median of each':{width}}  {'swcompose':>10}" + (f"  {'peer':>10}  {'times':>9}" if peer else ""))
    for name, values in results[0].items():
        ours = statistics.median(values)
        line = f"{name:{width}}  {ours:10.3f}"
        if peer:
            theirs = statistics.median(results[1][name])
            better = ours / theirs if "MB/s" in name else theirs / ours
            line += f"  {theirs:10.3f}  {better:9.2f}"
        print(line)


if __name__ == "__main__":
    main()
