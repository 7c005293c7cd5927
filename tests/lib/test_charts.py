from leadscenter.lib.charts import Day, Step, funnel, line_chart, pulse


def test_line_chart_places_the_highest_day_under_the_top_line() -> None:
    chart = line_chart("k", "Leads", "s", [Day("1 Nov", 0, 3), Day("2 Nov", 50, 4), Day("3 Nov", 20, 5, partial=True)])
    assert [line.text for line in chart.gridlines] == ["20", "40", "60"]
    assert chart.now == "0.00,100.0 50.00,16.7"
    assert chart.part == "50.00,16.7 100.00,66.7"  # today is drawn apart, because it is not over
    assert chart.points[2].text == "3 Nov: 20 leads so far, 5 in the period before"
    assert [point.tabindex for point in chart.points] == [0, -1, -1]


def test_line_chart_of_nothing_is_flat_and_whole() -> None:
    chart = line_chart("k", "Leads", "s", [Day("1 Nov", 0), Day("2 Nov", 0)])
    assert chart.now == "0.00,100.0 100.00,100.0"
    assert not chart.compared
    assert chart.then == ""


def test_funnel_shows_the_share_kept_from_the_step_before() -> None:
    first, second, third = funnel([Step("Opens", "", 200), Step("Starts", "", 50), Step("Submits", "", 0)])
    assert (first.share, first.height) == (None, "100.00%")
    assert (second.share_text, second.y, second.note) == ("25.0 %", "75.00%", "of opens")
    assert third.share == 0


def test_funnel_has_no_share_where_nothing_came_before() -> None:
    _, second = funnel([Step("Opens", "", 0), Step("Starts", "", 0)])
    assert (second.share, second.share_text) == (None, "–")


def test_pulse_marks_the_stretch_that_failed() -> None:
    assert [(beat.tone, beat.height) for beat in pulse([(4, 0), (1, 1), (0, 0)])] == [
        ("ok", 24),
        ("warn", 12),
        ("none", 3),
    ]
