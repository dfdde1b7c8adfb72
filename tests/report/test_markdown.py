"""Text that comes from data, as Markdown that shows it as it is."""

from glassline.report.markdown import markdown_table, plain


def test_plain_keeps_markup_links_and_mentions_from_working() -> None:
    told = plain("a|b *c* [x](http://y) <script> `d` @maintainer\n# e")
    assert "\n" not in told
    assert "@maintainer" not in told
    assert all(f"\\{mark}" in told for mark in "|*[]<>`#")


def test_table_has_as_many_cells_as_columns_whatever_they_hold() -> None:
    lines = markdown_table(["model", "accuracy"], [["a|b", "1"]]).splitlines()
    assert lines == ["| model | accuracy |", "| --- | ---: |", "| a\\|b | 1 |"]
