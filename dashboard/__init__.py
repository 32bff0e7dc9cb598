"""The analysts' dashboard: what the rules found, why, and whether the job is well. A Streamlit app.

It reads the object store (`alerts/`, `metrics/`) and nothing else: no Kafka, no Spark. Settings are the
`FRAUD_S3_*` variables, and `FRAUD_LOGIN_SIGNER` where a load balancer asks who is there.
`streamlit run dashboard/streamlit_app.py` from the repository starts it; `scripts/demo.sh` does so, too.

    streamlit_app.py   the frame: navigation, time range, auto-refresh    app_pages/   a page each
    identity.py        who is signed in, by what the load balancer signs
    feed.py            what was read so far, shared by all sessions: each version of a file is read once
    files.py           which files of an hour are new; hour.py: what an hour holds; store.py: S3
    contents.py        Parquet into tables of known columns
    kpis.py, series.py, signals.py, filters.py, evidence.py, csv_export.py    tables into answers; pure
    charts.py, evidence_charts.py, axes.py     answers into charts
    words.py, messages.py                      into words
    panels.py          what pages have in common      session.py              what a process and a tab share

Strings in alerts (users, cities, ids) come from anybody: they reach the browser only as table cells, chart
data and `st.text`, which show them as they are; never as markdown, HTML or a label.
"""
