"""Sending to real nodes: dcmtk's storescp and an Orthanc, on loopback."""

import socket
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pydicom
import pytest
from pydicom.uid import JPEGBaseline8Bit

from melanoma_core.access.subject import ANONYMOUS, acting_as
from melanoma_core.errors import AccessError, ExchangeError
from melanoma_core.exchange.dicom.leaving import send_lesion
from melanoma_core.exchange.dicom.nodes import Node, find_node
from melanoma_core.exchange.dicom.sending import check, send
from melanoma_core.records.ledger import Action
from melanoma_core.settings import load_settings
from tests.core.exchange.dicom.conftest import (
    Orthanc,
    ReadLesion,
    StoreScp,
    configure_orthanc,
    find_port,
    run_tool,
    running,
)

pytestmark = pytest.mark.slow


def _find(address: str) -> Node:
    node = find_node(load_settings(), address)
    assert node is not None
    return node


def test_a_node_that_answers_passes_the_check(storescp: StoreScp) -> None:
    check(_find(storescp.address))


def test_storescp_gets_every_file_with_its_pixels_as_they_were(
    storescp: StoreScp, lesion: ReadLesion
) -> None:
    files = lesion.make_files()
    send(_find(storescp.address), [each.dataset for each in files])
    stored = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, storescp.list_files())}
    assert set(stored) == {each.dataset.SOPInstanceUID for each in files}
    for each in files:
        got = stored[each.dataset.SOPInstanceUID]
        assert got.get("PixelData") == each.dataset.get("PixelData")
    syntaxes = [stored[f.dataset.SOPInstanceUID].file_meta.TransferSyntaxUID for f in files]
    assert syntaxes.count(JPEGBaseline8Bit) == 4


def test_what_is_sent_twice_is_kept_once(orthanc: Orthanc, lesion: ReadLesion) -> None:
    for _ in range(2):
        send(_find(orthanc.dimse), [each.dataset for each in lesion.make_files()])
        assert len(orthanc.list_instances()) == 5
    send(_find(orthanc.web), [each.dataset for each in lesion.make_files()])
    assert len(orthanc.list_instances()) == 5


def test_orthanc_takes_the_same_files_by_the_web(orthanc: Orthanc, lesion: ReadLesion) -> None:
    check(_find(orthanc.web))
    send(_find(orthanc.web), [each.dataset for each in lesion.make_files()])
    assert len(orthanc.list_instances()) == 5
    for instance in orthanc.list_instances():
        kept = orthanc.read(f"/instances/{instance}/file")
        assert kept[128:132] == b"DICM"


def test_each_sending_is_in_the_audit_log_before_it_leaves(lesion: ReadLesion) -> None:
    node = _find(f"dicom://PACS@127.0.0.1:{find_port()}")
    with pytest.raises(ExchangeError, match="does not answer as a DICOM node"):
        send_lesion(lesion.record, lesion.id, lesion.make_files(), node, "dr.a")
    entry = lesion.record.list_log(limit=1)[0]
    assert (entry.action, entry.by, entry.entry_id) == (Action.EXPORTED, "dr.a", lesion.id)
    assert entry.detail == f"5 DICOM files to {node.name}"


def test_a_person_without_the_role_sends_nothing(storescp: StoreScp, lesion: ReadLesion) -> None:
    datasets = [each.dataset for each in lesion.make_files()]
    with acting_as(ANONYMOUS), pytest.raises(AccessError, match="take data out of the record"):
        send(_find(storescp.address), datasets)
    assert storescp.list_files() == []


def test_a_node_that_does_not_know_our_kinds_is_named_and_gets_nothing(
    tmp_path: Path, lesion: ReadLesion
) -> None:
    port = find_port()
    # Without --accept-all, dcmtk 3.6.7 knows no dermoscopic photographs in JPEG.
    options = ["--output-directory", str(tmp_path), "--prefer-uncompr", str(port)]
    node = _find(f"dicom://PACS@127.0.0.1:{port}")
    datasets = [each.dataset for each in lesion.make_files()]
    with (
        running("storescp", options, port),
        pytest.raises(ExchangeError, match=r"does not accept: .*JPEG Baseline.*Nothing was sent"),
    ):
        send(node, datasets)
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_rejects_the_association_is_quoted(tmp_path: Path) -> None:
    port = find_port()
    options = ["--refuse", "--output-directory", str(tmp_path), str(port)]
    with (
        running("storescp", options, port),
        pytest.raises(ExchangeError, match=r"rejected the association: no reason given\."),
    ):
        check(_find(f"dicom://PACS@127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [  # result, source and reason of an A-ASSOCIATE-RJ (PS3.8, section 9.3.4)
        ((1, 1, 3), r"it does not know our title\. We call as \w+\. Have the node know"),
        ((2, 3, 1), r"it is busy\. Try again later\. Nothing was sent\."),
        ((2, 3, 2), r"it has too many associations\. Try again later\."),
        ((1, 1, 4), r"source 1, reason 4\. We call as"),
    ],
)
def test_what_to_do_about_a_rejection_depends_on_its_reason(
    answer: tuple[int, int, int], expected: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        rejecting = Thread(target=_reject, args=(server, bytes([3, 0, 0, 0, 0, 4, 0, *answer])))
        rejecting.start()
        with pytest.raises(ExchangeError, match=f"rejected the association: {expected}"):
            check(_find(f"dicom://PACS@127.0.0.1:{server.getsockname()[1]}"))
        rejecting.join()


def _reject(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as stream:
        stream.read(int.from_bytes(stream.read(6)[2:], "big"))  # the request
        connection.sendall(answer)


def test_a_port_that_speaks_something_else_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.close()
        with pytest.raises(ExchangeError, match="does not answer as a DICOM node"):
            check(_find(f"dicom://PACS@127.0.0.1:{port}"))


def test_a_service_that_is_not_there_is_named() -> None:
    with pytest.raises(ExchangeError, match=r"does not answer \(no connection\)"):
        check(_find(f"http://127.0.0.1:{find_port()}/dicom-web"))


def test_a_wrong_path_of_a_service_is_answered_with_its_status(
    orthanc: Orthanc, lesion: ReadLesion
) -> None:
    datasets = [each.dataset for each in lesion.make_files()]
    for call in (check, lambda node: send(node, datasets)):
        with pytest.raises(ExchangeError, match="answered 404"):
            call(_find(f"{orthanc.rest}/elsewhere"))  # type: ignore[operator]


def test_an_association_with_tls_needs_the_authority_of_the_node(
    tmp_path: Path, lesion: ReadLesion
) -> None:
    key, certificate = _make_certificate(tmp_path)
    folder, port = tmp_path / "stored", find_port()
    folder.mkdir()
    options = ["--enable-tls", str(key), str(certificate), "--ignore-peer-cert", "--accept-all"]
    address = f"dicoms://PACS@127.0.0.1:{port}"
    with running("storescp", [*options, "-od", str(folder), str(port)], port):
        with pytest.raises(ExchangeError, match="MELANOMA_DICOM_AUTHORITIES"):
            check(_find(address))
        node = find_node(replace(load_settings(), dicom_authorities=certificate), address)
        assert node is not None
        assert node.name == f"PACS at 127.0.0.1:{port} (TLS)"
        send(node, [lesion.make_files()[0].dataset])
    assert len(list(folder.iterdir())) == 1


def test_a_service_with_a_login_refuses_another_password(
    tmp_path: Path, lesion: ReadLesion
) -> None:
    datasets = [each.dataset for each in lesion.make_files()]
    port = find_port()
    configuration = configure_orthanc(
        *(tmp_path, find_port(), port),
        AuthenticationEnabled=True,
        RegisteredUsers={"ada": "p@ss"},
    )
    with running("Orthanc", [str(configuration)], port):
        wrong = _find(f"http://ada:wrong@127.0.0.1:{port}/dicom-web")
        with pytest.raises(ExchangeError, match="answered 401") as caught:
            send(wrong, datasets)
        assert "ada:" not in str(caught.value)
        right = _find(f"http://ada:p%40ss@127.0.0.1:{port}/dicom-web")
        check(right)
        send(right, datasets)


def test_a_service_with_tls_needs_the_authority_of_the_node(
    orthanc: Orthanc, tmp_path: Path, lesion: ReadLesion
) -> None:
    key, certificate = _make_certificate(tmp_path)
    port = find_port()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; pid {tmp_path}/nginx.pid;\n"
        f"error_log {tmp_path}/error.log;\n"
        f"events {{}} http {{ access_log off; client_body_temp_path {tmp_path}/body;\n"
        f"proxy_temp_path {tmp_path}/proxy; fastcgi_temp_path {tmp_path}/fastcgi;\n"
        f"uwsgi_temp_path {tmp_path}/uwsgi; scgi_temp_path {tmp_path}/scgi;\n"
        f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate};\n"
        f"ssl_certificate_key {key}; client_max_body_size 100m;\n"
        f"location / {{ proxy_pass {orthanc.rest}; }} }} }}\n"
    )
    datasets = [each.dataset for each in lesion.make_files()]
    address = f"https://127.0.0.1:{port}/dicom-web"
    with running("nginx", ["-e", f"{tmp_path}/error.log", "-c", str(configuration)], port):
        with pytest.raises(ExchangeError, match="its certificate is not trusted"):
            send(_find(address), datasets)
        node = find_node(replace(load_settings(), dicom_authorities=certificate), address)
        assert node is not None
        check(node)
        send(node, datasets)
    assert len(orthanc.list_instances()) == 5


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = run_tool(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1"),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
    )
    assert made.returncode == 0, made.stderr
    return key, certificate
