"""The live panel as Jupyter widgets: one slider a number, a button back to the plan, and what the book comes to."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ratemod.document.html import card
from ratemod.errors import ModelError, RatemodError, problem, text

if TYPE_CHECKING:
    from ratemod.whatif.live import Live


def widget_of(held: Live) -> Any:
    """Return the widgets of a panel; moving a slider moves the panel.

    Raises
    ------
    ModelError
        RM858 ipywidgets is not installed.
    """
    try:
        import ipywidgets as widgets
    except ImportError:
        raise ModelError(problem("RM858")) from None
    from ratemod.whatif.sliders import start_of

    shown = widgets.HTML(card(held.document()))
    sliders = {}
    for path, values in held.sliders.items():
        name = held.labels[path]
        sliders[path] = widgets.SelectionSlider(
            options=list(values),
            value=held.at[path],
            description=name,
            description_allow_html=False,
            tooltip=path,
            continuous_update=True,
            style={"description_width": "45%"},
            layout=widgets.Layout(width="100%"),
        )

    quiet: list[bool] = []

    def look(changes: dict[str, str]) -> None:
        try:
            held.move(changes)
            shown.value = card(held.document())
        except RatemodError as error:
            shown.value = f"<pre>{escape(str(error))}</pre>"

    def moved(path: str, value: str) -> None:
        if not quiet:
            look({path: value})

    for path, slider in sliders.items():
        slider.observe(lambda change, path=path: moved(path, change["new"]), names="value")

    def reset(_: Any) -> None:
        start = start_of(held.base.plan, held.sliders)
        quiet.append(True)
        for path, value in start.items():
            sliders[path].value = value
        quiet.clear()
        look(start)

    back = widgets.Button(description=text("UI_live_reset", held.lang), layout=widgets.Layout(width="auto"))
    back.on_click(reset)
    return widgets.VBox([widgets.VBox(list(sliders.values())), back, shown])
