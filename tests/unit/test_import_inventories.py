"""Inventories of virtual machines as scenarios: libvirt's domains, exports of RVTools; what is wrong names file and line; nothing else is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import simvirt
from simvirt.catalog import Catalog
from simvirt.cli.app import main
from simvirt.errors import ScenarioError
from simvirt.importers import libvirt, rvtools
from simvirt.importers.estates import estate
from simvirt.runs.admission import catalog_of
from simvirt.runs.run import run
from simvirt.scenario import Scenario, loads

WEB = """<domain type='kvm'>
  <name>web.example</name>
  <memory unit='KiB'>8388608</memory>
  <currentMemory unit='KiB'>4194304</currentMemory>
  <memoryBacking><hugepages/></memoryBacking>
  <vcpu placement='static' cpuset='0-3' current='2'>4</vcpu>
  <iothreads>1</iothreads>
  <cputune><shares>2048</shares><period>100000</period><quota>75000</quota><emulatorpin cpuset='1'/></cputune>
  <numatune><memory mode='strict' nodeset='0'/></numatune>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' cache='writeback' io='io_uring'/><target dev='vda' bus='virtio'/></disk>
    <disk device='cdrom'><target dev='sda' bus='sata'/></disk>
    <interface type='bridge'><model type='e1000e'/></interface>
  </devices>
</domain>
"""
DB = "<domain type='kvm'><name>db</name><memory unit='GiB'>16</memory><vcpu>8</vcpu><memoryBacking><hugepages/></memoryBacking></domain>"
CAPABILITIES = """<capabilities><host><uuid>12345678-0000</uuid><cpu><vendor>AMD</vendor><model>EPYC</model><counter name='tsc' frequency='2000000000'/>
<topology sockets='1' cores='8' threads='2'/></cpu><topology><cells num='2'>
<cell id='0'><memory unit='KiB'>67108864</memory></cell><cell id='1'><memory unit='KiB'>67108864</memory></cell></cells></topology></host></capabilities>"""


def scenario(text: str) -> Scenario:
    """A scenario that the catalogue knows all names of, and that runs."""
    found = loads(text, sets=("run.duration=1s", "run.replications=1"))
    catalog_of(found)
    assert run(found, maximum=False, jobs=1).document()["platforms"]
    return found


def written(folder: Path, **files: str) -> list[str]:
    """Files in a folder."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return [str(folder / name.replace("_", ".")) for name in files]


def test_domains_are_services_and_a_platform(tmp_path: Path) -> None:
    found = scenario(estate(libvirt.load(written(tmp_path, web_xml=WEB, db_xml=DB, host_xml=CAPABILITIES))).text)
    web, db = found.services["web-example"], found.services["db"]
    assert (web.cpu_limit, web.memory_limit, web.cpu_shares, web.cpuset, web.cpuset_mems, web.threads) == (1.5, 4 << 30, 2048, (0, 1, 2, 3), (0,), 2)
    assert (db.cpu_limit, db.memory_limit, db.threads) == (8, 16 << 30, 8)
    assert found.platforms[0].stack == ("kvm",) and found.platforms[0].pages == "huge" and found.platforms[0].disk_cache is None
    (host,) = found.each_host
    assert (host.spec.sockets, host.spec.cores, host.spec.smt, host.spec.memory, host.spec.clock) == (2, 8, 2, 128 << 30, 2e9)


def test_a_domain_alone_sets_its_platform(tmp_path: Path) -> None:
    found = estate(libvirt.load(written(tmp_path, web_xml=WEB)))
    platform = scenario(found.text).platforms[0]
    assert (platform.pages, platform.disk_cache, platform.disk, platform.net) == ("huge", "writeback", "virtio-blk-io-uring", "e1000")
    assert "web.xml:7 web.example: iothreads" in found.text and "cputune.emulatorpin" in found.text


def test_pinned_domains_are_pinned(tmp_path: Path) -> None:
    pins = "<cputune><vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='3'/></cputune>"
    found = scenario(estate(libvirt.load(written(tmp_path, a_xml=f"<domain><name>a</name><memory unit='GiB'>1</memory><vcpu>2</vcpu>{pins}</domain>"))).text)
    assert found.platforms[0].pin and found.services["a"].cpuset == (2, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<domain><memory>1</memory></domain>", "a.xml:1:1: domain: expected a name"),
        ("<domain><name>a</name>\n<memory>much</memory></domain>", 'a.xml:2:1: memory: expected a size, for example <memory unit="GiB">4</memory>'),
        ("<domain><name>a</name><memory>9</memory><vcpu>0</vcpu></domain>", "vcpu: expected a whole number above 0"),
        ("<network/>", "expected domains"),
        ("<domain><name>", "a.xml:1:15: expected XML"),
        ("", "expected XML"),
        ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><domain><name>&b;</name></domain>", "a.xml:1:13: expected XML without a document type"),
        ("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;&b;'>]><domain><name>&c;</name></domain>", "without a document type"),
        ("<a>" * 200 + "</a>" * 200, "expected at most 100 levels"),
    ],
)
def test_mistakes_in_domains_name_their_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as told:
        libvirt.load(written(tmp_path, a_xml=text))
    assert said in str(told.value)


def test_links_that_lead_out_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    inner = tmp_path / "domains"
    inner.mkdir()
    written(tmp_path, other_xml=DB)
    written(inner, web_xml=WEB)
    (inner / "link.xml").symlink_to(tmp_path / "other.xml")
    assert [machine.name for machine in libvirt.load([str(inner)]).machines] == ["web.example"]


INFO = """VM,Powerstate,Template,CPUs,Memory,Host,{size},OS according to the configuration file
web 1,poweredOn,False,4,"8,192",esx1,100000,Ubuntu Linux (64-bit)
db,poweredOn,False,8,32768,esx2,200000,Microsoft Windows Server 2019 (64-bit)
old,poweredOff,False,1,1024,esx1,1,Other
gold,poweredOn,True,1,1024,esx1,1,Other
"""
CPU = """VM,CPUs,Overall,Level,Shares,Reservation,Limit
web 1,4,1300,custom,3000,650,5200
db,8,5200,normal,8000,0,-1
"""
MEMORY = """VM,{size},Consumed,Level,Shares,Reservation,Limit
web 1,8192,2048,normal,1,1024,-1
db,32768,16384,normal,1,0,1024
"""
HOST = """Host,CPU Model,Speed,HT Active,# CPU,Cores per CPU,# Cores,# Memory,Model
esx1,Intel Xeon Gold 6132,2600,True,2,14,28,393216,PowerEdge R740
esx2,Intel Xeon Gold 6132,2600,True,2,14,28,393216,PowerEdge R740
esx3,Intel Xeon E5-2650,2000,False,2,8,16,131072,PowerEdge R620
"""


def export(folder: Path, version: int, comma: str = ",") -> str:
    """An export of a version as CSV files."""
    unit = "MB" if version == 3 else "MiB"
    for name, text in {"vInfo": INFO, "vCPU": CPU, "vMemory": MEMORY, "vHost": HOST}.items():
        size = "Provisioned " + unit if name == "vInfo" else "Size " + unit
        text = text.replace("{size}", size).replace('"8,192"', "8192" if comma == "," else '"8.192"').replace(",", comma)
        if version == 3 and name == "vInfo":
            text = text.replace(f"VM{comma}Powerstate", f"vInfoVMName{comma}vInfoPowerstate", 1)
        (folder / f"RVTools_tab{name}.csv").write_text(text, encoding="utf-8-sig")
    return str(folder)


@pytest.mark.parametrize(("version", "comma"), [(3, ";"), (4, ",")])
def test_exports_of_both_versions_are_one_estate(tmp_path: Path, version: int, comma: str) -> None:
    found = estate(rvtools.load([export(tmp_path, version, comma)]))
    spec = scenario(found.text)
    web, db = spec.services["web-1"], spec.services["db"]
    assert (web.cpu_limit, web.memory_limit, web.cpu_reservation, web.memory_reservation, web.cpu_shares) == (2, 8 << 30, 0.25, 1 << 30, 3000)
    assert (db.cpu_limit, db.memory_limit, db.cpu_reservation, db.cpu_shares) == (8, 32 << 30, None, None)
    assert web.memory is not None and web.memory.base == 2 << 30
    assert [(host.spec.cores, host.spec.smt, host.spec.clock) for host in spec.each_host] == [(14, 2, 2.6e9)] * 2 + [(8, 1, 2e9)]
    for said in ("old", "gold", "db: memory limit", "it runs Windows", "it is a template", "it is not switched on"):
        assert said in found.text


def test_the_load_is_what_was_used(tmp_path: Path) -> None:
    """1.3 GHz of 2.6 is half a CPU, 5.2 are two: measured in a run, by the utilization law."""
    spec = loads(estate(rvtools.load([export(tmp_path, 4)])).text, sets=("run.duration=30s", "run.replications=3", "platforms=[bare-metal]"))
    services = run(spec, maximum=False, jobs=1).typed().platforms["bare-metal"].services
    for name, busy in (("web-1", 0.5), ("db", 2.0)):
        assert services[name].cpu_cores.value == pytest.approx(busy, rel=0.1)


def test_workbooks_say_what_their_tabs_do(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="needs the package that reads workbooks")
    import csv

    folder = tmp_path / "csv"
    folder.mkdir()
    export(folder, 4)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for file in sorted(folder.glob("*.csv")):
        sheet = book.create_sheet(file.stem.removeprefix("RVTools_tab"))
        with open(file, encoding="utf-8-sig") as text:
            for row in csv.reader(text):
                sheet.append([int(cell) if cell.lstrip("-").isdigit() else cell for cell in row])
    book.save(tmp_path / "RVTools.xlsx")
    one, other = rvtools.load([str(tmp_path / "RVTools.xlsx")]), rvtools.load([str(folder)])
    assert loads(estate(one).text).services == loads(estate(other).text).services and one.hosts == other.hosts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("VM,CPUs,Memory\nweb,many,1\n", 'vInfo.csv:2: cpus: expected a number; got "many"'),
        ("VM,CPUs,Memory\n,1,1\n", "vInfo.csv:2: vInfo: expected the name of a VM"),
        ("VM,Powerstate,CPUs,Memory\nweb,poweredOff,1,1\n", "expected VMs that are switched on"),
        ("VM,CPUs,Memory\nweb,1,2\n", "vInfo.csv:2: services.web.mem_limit: expected a size of at least 6MiB"),
        ("VM,CPUs,Memory\nweb,,1\n", "vInfo.csv:2: web: expected CPUs and Memory"),
        ("", "expected VMs"),
        ("PK\x03\x04 no archive", "vInfo.csv: "),
    ],
)
def test_mistakes_in_exports_name_their_row(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "vInfo.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as told:
        estate(rvtools.load([str(tmp_path / "vInfo.csv")]))
    assert said in str(told.value)


def test_names_are_those_of_services(tmp_path: Path) -> None:
    (tmp_path / "vInfo.csv").write_text("VM,CPUs,Memory\na b,1,1024\na.b,1,1024\nü,1,1024\n", encoding="utf-8")
    assert list(scenario(estate(rvtools.load([str(tmp_path / "vInfo.csv")])).text).services) == ["a-b", "a-b-2", "vm-3"]


def test_commands_write_scenarios(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, file in (("libvirt", written(tmp_path, web_xml=WEB)[0]), ("rvtools", export(tmp_path, 4))):
        assert main(["import", command, file, "-o", str(tmp_path / f"{command}.yaml")]) == 0
        assert "values are assumed" in capsys.readouterr().err and main(["check", str(tmp_path / f"{command}.yaml")]) == 0


@pytest.mark.slow
@pytest.mark.verification
def test_a_plan_says_how_many_new_hosts_as_vms_and_as_containers(tmp_path: Path) -> None:
    from simvirt.plan import plan

    spec = loads(estate(rvtools.load([export(tmp_path, 4)])).text, sets=("run.duration=5s", "run.replications=2", "plan.hosts=[dell-r650-gold-6338]"))
    found = plan(spec, jobs=1).document()["alternatives"]
    assert {(one["platform"], one["hosts"]) for one in found} == {("esxi", 2), ("docker", 2)}


@pytest.mark.parametrize(("field", "value", "read"), [("busy", 0.3, "a.work: 60 "), ("burst", "20ms", "a.work: 15 ")])
def test_what_machines_do_is_the_catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: object, read: str) -> None:
    inventory = written(tmp_path, a_xml="<domain><name>a</name><memory unit='GiB'>1</memory><vcpu>2</vcpu></domain>")
    assert "a.work: 30 " in estate(libvirt.load(inventory)).text
    usual = yaml.safe_load((Path(simvirt.__file__).parent / "catalog" / "data" / "demands.yaml").read_text(encoding="utf-8"))["demands"]["generic"]["assumed"]
    mine = {"demands": {"generic": {"like": "generic", "assumed": usual | {field: {"value": value, "source": "made up for a test"}}}}}
    real = Catalog.load
    monkeypatch.setattr("simvirt.importers.estates.Catalog.load", lambda *known: real(mine) if known == (None,) else real(*known))
    assert read in estate(libvirt.load(inventory)).text


def test_usage_is_that_of_the_first_hosts_clock(tmp_path: Path) -> None:
    """2.6 GHz used on a host of 2 GHz is one CPU of 2.6 GHz, of which demands are; a limit of 2 GHz is one of the host's own."""
    (tmp_path / "vInfo.csv").write_text("VM,CPUs,Memory,Host\na,2,1024,esx3\n", encoding="utf-8")
    (tmp_path / "vCPU.csv").write_text("VM,Overall,Limit\na,1300,2000\n", encoding="utf-8")
    (tmp_path / "vHost.csv").write_text(HOST, encoding="utf-8")
    (machine,) = rvtools.load([str(tmp_path)]).machines
    assert (machine.cpu_used, machine.cpu_limit) == (0.5, 1)
