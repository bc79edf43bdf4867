"""/metrics of 8300: what TiCDC's dashboards ask for, and captures that work."""

from support.waiting import until


def value(text, name, feed):
    """Of a changefeed; None when it is not told."""
    found = [line.rpartition(" ")[2] for line in text.splitlines()
             if line.startswith(name + "{") and f'changefeed="{feed}"' in line]
    return float(found[0]) if found else None


def test_a_changefeed_shows_its_lag_and_state(deployment, ticdc, feed):
    api = deployment.client("ticdc/c1")

    def text():
        r = api.get("/metrics")
        assert r.status == 200
        return r.text

    first = value(text(), "ticdc_owner_checkpoint_ts", feed)
    until(lambda: value(text(), "ticdc_owner_checkpoint_ts", feed) > first,
          "an idle changefeed gets on", timeout=60)
    until(lambda: value(text(), "ticdc_owner_checkpoint_ts_lag", feed) < 30,
          "it is not far behind", timeout=60)
    assert value(text(), "ticdc_owner_status", feed) == 0
    until(lambda: value(text(), "metagate_changefeed_quota_bytes", feed) > 0,
          "its captures have a quota")
    assert text().count("\nticdc_owner_ownership_counter{") == 2
    ticdc.post(f"changefeeds/{feed}/pause")
    until(lambda: value(text(), "ticdc_owner_status", feed) == 3, "paused")
