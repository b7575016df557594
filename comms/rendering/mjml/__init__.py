"""MJML to HTML: mjml-python with its known defects mended, and checks of what it passes silently.

It knows nothing of Jinja and fetches nothing: no include, no third-party font unless `mj-font` asks for one.
"""

from comms.rendering.mjml.compiling import to_html as to_html
from comms.rendering.mjml.doubts import doubts as doubts
from comms.rendering.mjml.structure import check as check
