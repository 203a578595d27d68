"""The archive as Parquet, read by Spark without any option."""

import pytest

import parquets
from otlp import a_body, a_span, attribute, text
from test_compaction import DAY
from test_parquet import a_random_span, now, the_archive
from weir import ROOT, command
from wire import post

# Spark's own sockets to its Java side are collected unclosed.
UNCLOSED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
pytestmark = [pytest.mark.torture, UNCLOSED]
SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1"}


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_spark_reads_the_rows_that_duckdb_reads(start, dice, spark, compression):
    weir = start(exporters=the_archive(compression=compression))
    calls = [text("gen_ai.operation.name", "chat"), attribute("gen_ai.usage.cost", 0.000123)]
    for _ in range(5):
        spans = [a_random_span(dice, number) for number in range(200)]
        for span in spans[:50]:
            span.attributes.extend(calls)
        assert post(weir.endpoint, a_body(*spans)).rejected() == 0
    weir.stop()
    sums = spark.read.parquet(str(weir.archive / "span_rollup_daily"))
    assert sums.selectExpr("sum(spans)", "sum(unpriced)").collect()[0] == (1000, 0)
    for dataset in ("spans", "llm_usage"):
        rows = [row.asDict() for row in by_spark(spark, weir.archive / dataset).collect()]
        found = {row["span_id"]: row for row in rows}
        wanted = parquets.columns(parquets.by_duckdb(weir.archive, dataset))
        assert len(found) == len(rows) == len(wanted) == (1000 if dataset == "spans" else 250)
        for row in wanted:
            assert {key: found[row["span_id"]][key] for key in row} == row


def by_spark(spark, directory):
    return spark.read.parquet(str(directory)).selectExpr("* EXCEPT (start_time)", "unix_micros(start_time) AS start_time")


def test_the_documented_path_is_that_of_the_spans(start, dice, spark):
    weir = start(exporters={"archive": the_archive()["archive"] | {"directory": "data/archive"}})
    assert post(weir.endpoint, a_body(a_random_span(dice, 1))).rejected() == 0
    weir.stop()
    assert 'spark.read.parquet("data/archive/spans")' in (ROOT / "docs/parquet.md").read_text()
    (row,) = spark.read.parquet(str(weir.directory / "data/archive/spans")).collect()
    assert row["tenant"] == "default" and abs(row["start_unix_nano"] - now()) < 10**13


def test_spark_reads_a_day_that_is_merged_beside_one_that_is_not(start, tmp_path, spark):
    keys = dict(
        exporters={"archive": the_archive()["archive"] | {"directory": str(tmp_path / "archive")}},
        journal={"directory": str(tmp_path / "journal")},
    )
    today = now() // DAY * DAY
    sent = []
    for _ in range(2):
        weir = start(**keys)
        for start_time in [today - 3 * DAY, today - 3 * DAY + 3600 * 10**9, today]:
            spans = [a_span(start_time_unix_nano=start_time, end_time_unix_nano=start_time) for _ in range(5)]
            sent += [span.span_id.hex() for span in spans]
            assert post(weir.endpoint, a_body(*spans)).status == 200
        weir.stop()
    # Late spans of a day are in one file, whatever their hours.
    done = command("archive", "compact", "--config", str(weir.config), cwd=weir.directory)
    assert done.returncode == 0 and "2 files merged into 1, with 20 spans" in done.stdout, done
    rows = spark.read.parquet(str(tmp_path / "archive/spans")).select("span_id", "date", "hour").collect()
    assert sorted(row["span_id"] for row in rows) == sorted(sent)
    assert len([row for row in rows if row["hour"] == 24]) == 20
