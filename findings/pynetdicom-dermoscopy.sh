#!/usr/bin/env bash
# Guess: pynetdicom's StoragePresentationContexts hold every storage class of the standard that the
# library knows, as its name says. A node that supports them takes any image, one that asks for them can
# send any.
#
# What happens: they are 120 chosen ones, though one association allows 128. Dermoscopic Photography
# is missing, as are confocal microscopy, content assessment results and bulk microscopy annotations,
# and VL photographs are there. The node accepts the association and rejects the class, and sending
# raises ValueError. AllStoragePresentationContexts (170) accept it, but are too many to ask for at once.
#
# Versions: pynetdicom 3.0.4, pydicom 3.0.2.
# Why it matters here: dermoscopic photographs have a storage class of their own. A test
# server of the field's usual library would refuse every one of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pynetdicom==3.0.4 pydicom==3.0.2
venv/bin/python - <<'PYTHON'
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, AllStoragePresentationContexts, StoragePresentationContexts, evt
from pynetdicom.sop_class import (
    DermoscopicPhotographyImageStorage,
    VLPhotographicImageStorage,
)

print(len(StoragePresentationContexts), "of", len(AllStoragePresentationContexts), "contexts")


def send(storage_class, supported):
    """Return what becomes of a dataset of this class that is sent to a node on loopback."""
    node = AE()
    node.supported_contexts = supported
    server = node.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda event: 0x0000)]
    )
    sender = AE()
    sender.acse_timeout = sender.dimse_timeout = sender.network_timeout = 30
    sender.add_requested_context(storage_class, ExplicitVRLittleEndian)
    sender.add_requested_context(VLPhotographicImageStorage, ExplicitVRLittleEndian)
    association = sender.associate("127.0.0.1", server.socket.getsockname()[1])
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = storage_class, "1.2.3"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    try:
        return f"status 0x{association.send_c_store(dataset).Status:04X}"
    except ValueError:
        return "ValueError: no accepted context"
    finally:
        association.release()
        server.shutdown()


found = {}
for name, contexts in (
    ("StoragePresentationContexts", StoragePresentationContexts),
    ("AllStoragePresentationContexts", AllStoragePresentationContexts),
):
    for storage_class in (VLPhotographicImageStorage, DermoscopicPhotographyImageStorage):
        found[name, storage_class.name] = send(storage_class, contexts)
        print(f"{name}, {storage_class.name}: {found[name, storage_class.name]}")
try:
    AE().requested_contexts = AllStoragePresentationContexts
    asked = "accepted"
except ValueError as error:
    asked = f"ValueError: {error}"
print("asking for all:", asked)
refused = [key for key, result in found.items() if result != "status 0x0000"]
wanted = [("StoragePresentationContexts", DermoscopicPhotographyImageStorage.name)]
same = refused == wanted and asked.startswith("ValueError")
same = same and (len(StoragePresentationContexts), len(AllStoragePresentationContexts)) == (120, 170)
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
