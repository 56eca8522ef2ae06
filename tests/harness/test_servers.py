"""One list, asked by one file: ours, CoreDNS with our plugin, Unbound with a policy zone, dnsmasq as in Pi-hole."""

import json

import pytest
from typer.testing import CliRunner

from namewarden.cli import app
from tests import servers
from tests.product import product

DENIED = ("ads.example.net", "tracker.example.net", "x.malware.example.net")
CASES = """name\ttype\tsubnet\texpected
www.example.org\tA\t\t192.0.2.20
www.example.org\tA\t198.51.100.0/24\tallow
www.example.org\tAAAA\t\t2001:db8::20
chain.example.org\tA\t\tCNAME chain2.example.org. | CNAME chain3.example.org. | CNAME www.example.org. | 192.0.2.20
example.org\tMX\t\t10 mail.example.org.
gone.example.org\tA\t\tNXDOMAIN
hidden.example.org\tA\t\tNODATA
ads.example.net\tA\t\tblock
ads.example.net\tAAAA\t\tblock
below.ads.example.net\tA\t198.51.100.0/24\tblock
tracker.example.net\tA\t\tblock
tracker.example.net\tTXT\t\tblock
x.malware.example.net\tHTTPS\t\tblock
malware.example.net\tA\t\tallow
other-ads.example.net\tA\t\tallow
"""


@pytest.fixture(scope="module")
def ours(tmp_path_factory, world):
    folder = tmp_path_factory.mktemp("ours")
    (folder / "list.txt").write_text("".join(f"||{name}^\n" for name in DENIED))
    with product(folder, world, f'[[lists]]\nname = "l"\nsource = "{folder}/list.txt"\n') as made:
        yield made


@pytest.fixture(scope="module")
def coredns(tmp_path_factory, world, ours):
    block = f"namewarden unix://{ours.folder}/var/verdict.sock\nforward . {world.host}:{world.port}"
    with servers.coredns(tmp_path_factory.mktemp("coredns"), block) as made:
        yield made


@pytest.fixture(scope="module")
def unbound(tmp_path_factory, world):
    folder = tmp_path_factory.mktemp("unbound")
    zone = "$TTL 60\n@ SOA a. b. 1 3600 900 86400 60\n@ NS a.\n"
    zone += "".join(f"{name} CNAME .\n*.{name} CNAME .\n" for name in DENIED)
    (folder / "rpz").write_text(zone)
    rpz = f'module-config: "respip iterator"\nrpz:\n  name: "rpz.test"\n  zonefile: "{folder}/rpz"'
    with servers.unbound(folder / "unbound", world, rpz) as made:
        yield made


@pytest.fixture(scope="module")
def dnsmasq(tmp_path_factory, world):
    lines = "".join(f"address=/{name}/#\n" for name in DENIED)
    with servers.dnsmasq(tmp_path_factory.mktemp("dnsmasq"), world, lines) as made:
        yield made


@pytest.fixture(params=["ours", "coredns", "unbound", "dnsmasq"])
def port(request):
    return request.getfixturevalue(request.param).port


def harness(folder, port, text, *more):
    path = folder / "names.tsv"
    path.write_text(text)
    where = "--server", f"127.0.0.1:{port}", "--names", str(path)
    return CliRunner().invoke(app, ["harness", *where, *more])


@pytest.mark.parametrize("way", [[], ["--tcp"]], ids=["udp", "tcp"])
def test_the_same_list_says_the_same_everywhere(port, tmp_path, way):
    done = harness(tmp_path, port, CASES, "--jsonl", "-", *way)
    assert done.exit_code == 0, done.stdout + done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == 15 and "15 asked of" in done.stderr and "p99" in done.stderr


def test_what_is_other_is_shown_and_the_status_says_so(port, tmp_path):
    text = "ads.example.net,A,,allow\nwww.example.org,A,,block\nwww.example.org,A,,192.0.2.20\n"
    done = harness(tmp_path, port, text, "--junit", str(tmp_path / "x.xml"))
    assert done.exit_code == 1 and "2 other than expected" in done.stdout
    assert 'failures="2"' in (tmp_path / "x.xml").read_text()
