"""What the tests of the Reading page do with it, as a person does."""

import io
import re
from collections.abc import Sequence
from html import unescape

from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Button

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.reading.worklist import Worklist

LESION = DEMONSTRATION_LESIONS[0]


def upload(app: AppTest, files: Sequence[tuple[str, bytes]]) -> AppTest:
    # Neither the name nor the declared type of an upload is trusted.
    app.file_uploader[0].set_value([(name, data, "image/jpeg") for name, data in files])
    app.run()
    assert not app.exception
    return app


def upload_lesions(app: AppTest, count: int) -> AppTest:
    files = [(lesion.file_name, lesion.path.read_bytes()) for lesion in DEMONSTRATION_LESIONS]
    return upload(app, (files * 4)[:count])


def click(app: AppTest, label: str) -> AppTest:
    (button,) = (button for button in app.button if button.label == label)
    button.click().run()
    assert not app.exception
    return app


def forget_all(app: AppTest) -> AppTest:
    return click(click(app, "Forget all"), "Forget them")


def list_rows(app: AppTest) -> list[Button]:
    """Return the buttons that open the rows of the list."""
    return [button for button in app.sidebar.button if str(button.key).startswith("open-")]


def html(app: AppTest | Block) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def name_opened(app: AppTest) -> str:
    (name,) = re.findall(r'<p class="name">(.*?)</p>', html(app.main))
    return unescape(name)


def worklist(app: AppTest) -> Worklist:
    kept: Worklist = app.session_state["worklist"]
    return kept


def encode(image: Image.Image, image_format: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, image_format, **options)
    return content.getvalue()
