"""Every public function of the core that changes something asks for a role, or says why not."""

import ast
from pathlib import Path

import pytest

from melanoma_core.access.rights import NEEDED, Right, Role
from melanoma_core.settings import PROJECT_ROOT
from tests.core.access.walking import CORE, list_changing

# Rooms whose functions can be called by a page, a command or the HTTP API.
ROOMS = sorted(path.name for path in CORE.iterdir() if (path / "__init__.py").is_file())
NOT_ENTERED = {"cli", "networks"}  # commands act for the person at the machine
# Why a function that writes checks no role.
BELOW = "is called by functions that check, and by no page, command or interface"
OWN_PROCESS = "runs in a process that a function that checks has started"
CACHE = "writes what can be computed again, where no person looks"
MENDS = "mends what a killed process has left, and adds nothing"
READS = "returns bytes or reads; nothing is kept"
DRAFT = "keeps or forgets what a person has typed and not saved, for that person alone"
LOGIN = "notes that a person has logged in, as the provider says, and gives no role"
LOGS = "writes the log of what a person has seen, which nothing may prevent"
LOGGED = "asks through `log_export` before anything leaves"
EXEMPT = {
    "access.people.remember": LOGIN,
    "data.dicom_rows.add_said": READS,
    "records.draft_files.read_drafts": DRAFT,
    "records.draft_files.remove_draft": DRAFT,
    "records.draft_files.remove_drafts_about": DRAFT,
    "records.draft_files.write_draft": DRAFT,
    "records.drawn_job.make": OWN_PROCESS,
    "records.erasing.write_erasure": BELOW,
    "records.export.export_patient": LOGGED,
    "records.images.ImageStore.put": BELOW,
    "records.images.ImageStore.remove": BELOW,
    "records.ledger.write_head": BELOW,
    "records.letter.write_letter_pdf": READS,
    "records.opening.create_database": BELOW,
    "records.opening.upgrade_database": BELOW,
    "records.own_index.refresh_own_index": CACHE,
    "records.quiz_cases.find_record_cases": READS,
    "records.repeatability.write_limits": OWN_PROCESS,
    "records.report_pdf.write_lesion_pdf": READS,
    "records.store.Record.open": MENDS,
    "records.store.Record.finish_removals": MENDS,
    "records.store.Record.log_seen": LOGS,
    "records.writing.write_change": BELOW,
    "runs.folder.RunFolder.write": BELOW,
    "runs.folder.RunFolder.write_estimate": OWN_PROCESS,
    "runs.queue.Queue.hold": BELOW,
    "runs.queue.Queue.begin": OWN_PROCESS,
    "runs.queue.Queue.draw": BELOW,
    "runs.queue.Queue.give_back": BELOW,
    "runs.queue.Queue.take": OWN_PROCESS,
    "runs.record.Record.delete": BELOW,
    "runs.record.open_record": MENDS,
    "runs.recorder.Recorder.announce": OWN_PROCESS,
    "runs.refresh.refresh_run": MENDS,
    "runs.worker.main": OWN_PROCESS,
    "deployment.promotion.synchronise_deployment": MENDS,
    "models.card.ModelCard.save": OWN_PROCESS,
    "models.evidence.write_evidence": OWN_PROCESS,
    "models.identifiers.keep_key": BELOW,
    "models.lineage.write_table": OWN_PROCESS,
    "models.lineage.hash_images": READS,
    "models.registry.write_pointer": BELOW,
    "data.cache.FactCache.load": CACHE,
    "data.cache.FactCache.store": CACHE,
    "data.cleaned_table.write_decisions": OWN_PROCESS,
    "data.decoder_pool.Process.end": READS,
    "data.dataset.hash_table": READS,
    "data.drawn.dataset.write_demonstration_dataset": CACHE,
    "data.drawn.lesions.write_demonstration": CACHE,
    "exchange.dicom.files.write_zip": READS,
    "lookalikes.embeddings.forget_files": BELOW,
    "lookalikes.embeddings.EmbeddingStore.find_all": CACHE,
    "lookalikes.embeddings.EmbeddingStore.load": CACHE,
    "lookalikes.embeddings.EmbeddingStore.add": CACHE,
    "lookalikes.embeddings.EmbeddingStore.remove": BELOW,
    "lookalikes.index_file.write_index_file": OWN_PROCESS,
    "reading.report_pdf.write_report_pdf": READS,
    "training.checkpoints.save_checkpoint": OWN_PROCESS,
    "training.checkpoints.save_features": OWN_PROCESS,
    "training.checkpoints.remove_features": OWN_PROCESS,
    "training.photographs.open_pixels": OWN_PROCESS,
    "training.predictions.write_predictions": OWN_PROCESS,
}
CHECKED = {
    "access.people.set_roles",
    "service.tokens.create_token",
    "service.tokens.revoke_token",
    "assessment.job.cancel",
    "assessment.job.start",
    "backup.restoring.restore_backup",
    "backup.writing.write_backup",
    "data.archive.download.download",
    "data.oversampling.oversample",
    "deployment.promotion.promote",
    "deployment.promotion.roll_back",
    "records.drawn_job.start",
    "records.feedback.write_dataset",
    "records.opened.remember_opened",
    "records.own_index_job.start",
    "records.store.Record.create",
    "records.store.Record.erasing",
    "records.store.Record.log_export",
    "records.store.Record.rebuild",
    "records.store.Record.upgrade",
    "records.store.Record.write",
    "runs.control.delete_run",
    "runs.control.launch",
    "runs.control.resume_run",
    "runs.control.start_estimate",
    "runs.control.stop_run",
}


@pytest.fixture(scope="module")
def changing() -> dict[str, bool]:
    rooms = [room for room in ROOMS if room not in NOT_ENTERED]
    return {name: checks for room in rooms for name, checks in list_changing(room).items()}


def test_each_public_function_that_changes_something_checks_a_role(changing: dict[str, bool]):
    unchecked = {name for name, checks in changing.items() if not checks}

    assert sorted(unchecked - set(EXEMPT)) == []


def test_the_functions_that_are_known_to_check_still_do(changing: dict[str, bool]):
    assert sorted(name for name in CHECKED if not changing.get(name)) == []


def test_no_exception_is_made_for_what_checks(changing: dict[str, bool]):
    assert sorted(name for name in EXEMPT if changing.get(name, False)) == []


def test_pages_and_the_interface_call_no_function_below_the_checks():
    below = {name.rpartition(".")[2] for name, why in EXEMPT.items() if why == BELOW}
    below -= {"put", "remove", "hold", "draw", "delete", "write"}  # names of other methods, too
    folders = [PROJECT_ROOT / "dashboard", CORE / "service", CORE / "exchange"]
    found = {
        alias.name
        for folder in folders
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(Path(path).read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("melanoma_core")
        for alias in node.names
        if alias.name in below - {"keep_key"}  # the key of this machine, made on first use
    }
    assert found == set()


def test_each_right_is_given_by_a_role_and_each_role_gives_one():
    assert set(NEEDED) == set(Right)
    assert {role for roles in NEEDED.values() for role in roles} == set(Role)
