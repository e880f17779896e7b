#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Dockerfile and compose.yaml, as far as they can be checked without an engine: packages are those that the
build and the built program need, files and services that are named are there, the configuration is accepted,
the health check tells ready from not. Prints TAP. SHOAL_PROGRAM is `shoal`, SHOAL_SOURCE the source tree."""

import http.server
import os
import re
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Skip, main, need, run  # noqa: E402

try:
    import yaml
except ImportError as missing:
    yaml, why = None, str(missing)

SOURCE = os.environ["SHOAL_SOURCE"]
SHOAL = os.environ["SHOAL_PROGRAM"]
FOLDER = os.path.join(SOURCE, "deploy", "docker")
# Not linked: certificates of brokers, and SASL's mechanisms, which are loaded by name.
# Training on several machines is for those who build with it; images and packages are without.
MPI = {"libopenmpi-dev", "openmpi-bin"}
RUNTIME_BESIDES = {"ca-certificates", "libsasl2-modules"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def stages():
    """The instructions of each stage, continued lines joined."""
    text = re.sub(r"\\\n", " ", read(f"{FOLDER}/Dockerfile"))
    return ["FROM" + stage for stage in text.split("\nFROM")[1:]]


def stage_of(end):
    """The stage that builds (AS build), or the last, which runs."""
    return next(one for one in stages() if " AS build\n" in one) if end == "build" else stages()[-1]


def packages(stage):
    words = re.search(r"--no-install-recommends (.*?)&&", stage).group(1).split()
    assert len(words) == len(set(words)), words
    return set(words)


def the_build_stage_installs_what_setup_does():
    """But for Criterion, since no test is built there."""
    listed = re.search(r"build_packages=\((.*?)\)", read(f"{SOURCE}/tools/setup"), re.S).group(1).split()
    assert packages(stage_of("build")) == set(listed) - {"libcriterion-dev"} - MPI | {"python3"}


def the_bundler_of_the_dashboard_finds_nodejs():
    """npm's esbuild is started by a script of Node.js, which the stage that builds has from the one that fetches."""
    assert "\nCOPY --from=page /usr/local/bin/node /usr/local/bin/node\n" in stage_of("build")


def the_image_has_the_libraries_of_the_program_and_no_others():
    need("dpkg-query")
    linked = re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", SHOAL).stdout)
    wanted = set()
    for path in re.findall(r"=> (\S+)", run("ldd", SHOAL).stdout):
        if os.path.basename(path) not in linked or re.match(r"lib(c|m|pthread|mpi|open-rte|open-pal)\.so", os.path.basename(path)):
            continue
        known = run("dpkg-query", "-S", f"*/{os.path.basename(os.path.realpath(path))}", code=None).stdout
        owners = [line.split(":")[0] for line in known.splitlines() if "-dbg" not in line]
        wanted.add(next((one for one in owners if one in packages(stage_of("run"))), owners[0] if owners else path))
    if any("asan" in name for name in linked):
        raise Skip("a build with sanitizers links their libraries")
    assert len(wanted) > 8, wanted
    found = packages(stage_of("run")) - RUNTIME_BESIDES
    assert found == wanted, f"wrong in the image: {found ^ wanted}"


def the_image_runs_as_nobody_in_particular_and_says_how_it_is():
    text = stage_of("run")
    assert re.search(r"\nUSER 10001:10001\n", text) and "useradd --system --uid 10001" in text
    assert 'HEALTHCHECK' in text and '/usr/lib/shoal/healthcheck' in text
    assert 'ENTRYPOINT ["/usr/bin/shoal"]' in text
    version = run(SHOAL, "--version").stdout.split()[1]
    assert f'image.version="{version}"' in text


def what_is_copied_into_the_image_is_there():
    for stage in stages():
        for copied in re.findall(r"^COPY (?!--from)(.*) \S+$", stage, re.M):
            for path in copied.split():
                assert os.path.exists(os.path.join(SOURCE, path)), path


def what_is_built_locally_stays_out():
    ignored = read(f"{SOURCE}/.dockerignore").split()
    for line in ("build*", ".git", ".shoal", "**/*.shoal", "deploy/docker/secrets.d"):
        assert line in ignored, line


def compose():
    if not yaml:
        raise Skip(why)
    return yaml.safe_load(read(f"{FOLDER}/compose.yaml"))


def every_file_and_name_in_compose_is_there():
    document = compose()
    services, volumes = document["services"], set(document["volumes"])
    mounted = set()
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                path = os.path.normpath(os.path.join(FOLDER, source))
                assert os.path.exists(path), f"{name} mounts {path}"
            else:
                mounted.add(source)
        assert set(service.get("secrets", [])) <= set(document["secrets"]), name
        if "build" in service:
            context = os.path.normpath(os.path.join(FOLDER, service["build"]["context"]))
            assert os.path.isfile(os.path.join(context, service["build"]["dockerfile"]))
            assert os.path.samefile(context, SOURCE)
    assert mounted == volumes, mounted ^ volumes
    made = re.findall(r">(shoal\w+|grafana\w+)\b", read(f"{FOLDER}/secrets"))
    for secret in document["secrets"].values():
        assert os.path.basename(secret["file"]) in made, secret


def every_service_is_pinned_bounded_and_checked():
    for name, service in compose()["services"].items():
        assert re.search(r":\D*\d", service["image"]) and "latest" not in service["image"], service["image"]
        assert service["deploy"]["resources"]["limits"]["memory"], name
        checked = "healthcheck" in service or name == "shoal"  # Shoal's is in the image
        assert checked, name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} listens to everybody: {port}"


def kafka_and_redis_are_set_up_as_shoal_needs_them():
    services = compose()["services"]
    redis = " ".join(services["redis"]["command"])
    assert "--appendonly yes" in redis and "--maxmemory-policy noeviction" in redis
    version = re.search(r"<kafka.version>(.*)</kafka.version>", read(f"{SOURCE}/tools/kafka/pom.xml")).group(1)
    assert services["kafka"]["image"] == f"apache/kafka:{version}"
    listeners = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    config = read(f"{FOLDER}/shoal.yaml")
    address = re.search(r"^kafka.bootstrap.servers: (\S+)$", config, re.M).group(1)
    assert f"INSIDE://{address}" in listeners and address.split(":")[0] in services
    assert re.search(r"^redis.url: redis://redis:6379", config, re.M)


def the_configuration_is_accepted():
    run(SHOAL, "config", "--check", f"{FOLDER}/shoal.yaml", "--set",
        f"promotions.path={SOURCE}/deploy/promotions.yaml")


def the_first_model_is_made_by_commands_that_exist():
    script = compose()["services"]["first-model"]["command"][0]
    used = re.findall(r"shoal ([a-z]+) (.*)", script)
    assert [name for name, _ in used] == ["generate", "retrain"]
    for name, options in used:
        page = run(SHOAL, name, "--help").stdout
        for option in re.findall(r"--[a-z-]+", options):
            assert option in page, f"shoal {name} {option}"


def prometheus_and_grafana_find_what_they_are_given():
    document = compose()
    prometheus = yaml.safe_load(read(f"{FOLDER}/prometheus.yml"))
    target = prometheus["scrape_configs"][0]["static_configs"][0]["targets"][0]
    port = re.search(r"^http.listen: \S+:(\d+)$", read(f"{FOLDER}/shoal.yaml"), re.M).group(1)
    assert target == f"shoal:{port}"
    mounts = dict(v.split(":")[:2] for v in document["services"]["prometheus"]["volumes"])
    for rule in prometheus["rule_files"]:
        folder = next(source for source, inside in mounts.items() if rule.startswith(inside + "/"))
        assert os.path.isfile(os.path.join(FOLDER, folder, os.path.basename(rule))), rule
    provider = yaml.safe_load(read(f"{SOURCE}/deploy/grafana/provisioning/dashboards/shoal.yaml"))
    folder = provider["providers"][0]["options"]["path"]
    assert any(volume.split(":")[1].startswith(f"{folder}/") for volume in document["services"]["grafana"]["volumes"])
    source = yaml.safe_load(read(f"{FOLDER}/grafana/datasources/prometheus.yaml"))["datasources"][0]
    other = yaml.safe_load(read(f"{SOURCE}/deploy/grafana/provisioning/datasources/prometheus.yaml"))["datasources"][0]
    assert source["uid"] == other["uid"] and source["url"] == "http://prometheus:9090"


class Answer(http.server.BaseHTTPRequestHandler):
    code = 200

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(Answer.code if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def the_health_check_tells_ready_from_not():
    script = f"{FOLDER}/healthcheck"
    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    port = str(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run(script, port)
    Answer.code = 503
    run(script, port, code=1)
    server.shutdown()
    server.server_close()
    run(script, port, code=1)


if __name__ == "__main__":
    sys.exit(main([the_build_stage_installs_what_setup_does, the_bundler_of_the_dashboard_finds_nodejs,
                   the_image_has_the_libraries_of_the_program_and_no_others,
                   the_image_runs_as_nobody_in_particular_and_says_how_it_is,
                   what_is_copied_into_the_image_is_there, what_is_built_locally_stays_out,
                   every_file_and_name_in_compose_is_there, every_service_is_pinned_bounded_and_checked,
                   kafka_and_redis_are_set_up_as_shoal_needs_them, the_configuration_is_accepted,
                   the_first_model_is_made_by_commands_that_exist, prometheus_and_grafana_find_what_they_are_given,
                   the_health_check_tells_ready_from_not]))
