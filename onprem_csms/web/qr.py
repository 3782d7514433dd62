"""QR codes: the address of a connector's page as a picture, for labels and for files."""

import io

import segno

# 15 % of a label may be scratched or dirty and the code still reads (ISO/IEC 18004, level M).
_LEVEL = "M"
_QUIET_ZONE = 4


def connector_url(base: str, slug: str) -> str:
    """The address that a connector's code holds; ``base`` is the site's own address."""
    return f"{base.rstrip('/')}/c/{slug}"


def svg(text: str) -> str:
    """A code as an SVG element that fills its box; the address stands beside it in letters."""
    return _code(text).svg_inline(
        border=_QUIET_ZONE, omitsize=True, light="#fff", svgclass="qr", lineclass=None
    )


def svg_file(text: str) -> bytes:
    """A code as an SVG document."""
    file = io.BytesIO()
    _code(text).save(file, kind="svg", border=_QUIET_ZONE, scale=10, light="#fff")
    return file.getvalue()


def png(text: str, module_pixels: int = 12) -> bytes:
    """A code as a PNG file, black on white, each module ``module_pixels`` wide."""
    file = io.BytesIO()
    _code(text).save(file, kind="png", border=_QUIET_ZONE, scale=module_pixels)
    return file.getvalue()


def _code(text: str) -> segno.QRCode:
    return segno.make(text, error=_LEVEL, micro=False, boost_error=True)
