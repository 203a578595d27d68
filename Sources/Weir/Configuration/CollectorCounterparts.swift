/// What stands in a configuration of the OpenTelemetry Collector and is something else in Weir, or nothing.
enum CollectorCounterparts {
    static func section(_ name: String) -> String {
        name == "connectors"
            ? "Weir has no connectors; rates and durations of all spans are in the hot tables, weir query latency"
            : "Weir has no such section"
    }

    /// Why a component is not taken; nil where nothing is known against it.
    static func reason(_ type: String, _ kind: ComponentKind) -> String? {
        switch kind {
        case .receiver: receivers[type]
        case .processor: processors[type]
        case .exporter: exporters[type]
        case .extension: extensions[type]
        }
    }

    /// Why a key is not taken, in more words than that it is not known.
    static func key(_ place: [String]) -> String? {
        guard let key = place.last else { return nil }
        if place.contains("sending_queue") { return queue[key] }
        return keys[key]
    }

    private static let otlp = "Weir takes OTLP; send it to the receiver otlp"
    private static let archive = "the nearest is the exporter archive, whose files can be moved on"

    private static let receivers = [
        "jaeger": otlp, "zipkin": otlp, "opencensus": otlp, "kafka": otlp, "datadog": otlp, "skywalking": otlp,
        "hostmetrics": "Weir takes traces", "prometheus": "Weir takes traces", "filelog": "Weir takes traces",
        "k8s_cluster": "Weir takes traces", "kubeletstats": "Weir takes traces", "journald": "Weir takes traces",
    ]

    private static let processors = [
        "transform": "the nearest are attributes and resource with actions, and redaction",
        "span": "the nearest is attributes with extract",
        "groupbytrace": "tail_sampling gathers traces by itself",
        "groupbyattrs": "the hot tables and the archive group by columns",
        "resourcedetection": "the nearest is resource with values of the environment, ${env:HOSTNAME}",
        "k8sattributes": "the nearest is resource with values of the environment, which the SDK can set too",
        "metricstransform": "Weir takes traces", "cumulativetodelta": "Weir takes traces",
        "genainormalizer": "cost reads the vocabularies of instrumentations as they are",
    ]

    private static let exporters = [
        "otlp": "Weir sends on over HTTP: otlp_http with the destination's port for it, mostly 4318",
        "otlp_grpc": "Weir sends on over HTTP: otlp_http with the destination's port for it, mostly 4318",
        "logging": "it is called debug",
        "file": "the nearest is archive: directory and format, exactly once",
        "kafka": archive, "awss3": archive, "googlecloudstorage": archive, "azureblob": archive,
        "loadbalancing":
            "replicas of Weir need none before tables and archives; in front of tail_sampling, use its own",
        "load_balancing":
            "replicas of Weir need none before tables and archives; in front of tail_sampling, use its own",
        "jaeger": "Jaeger takes OTLP: otlp_http to its port 4318",
        "zipkin": "send OTLP with otlp_http",
        "clickhouse": "the nearest are postgres and sqlite",
        "prometheus": "Weir's own metrics are at service.telemetry.metrics",
        "prometheusremotewrite": "Weir's own metrics are at service.telemetry.metrics",
    ]

    private static let extensions = [
        "health_check": "service.telemetry.metrics serves /healthz and /readyz",
        "healthcheckv2": "service.telemetry.metrics serves /healthz and /readyz",
        "file_storage": "every pipeline has a journal on the disk: service.journal",
        "db_storage": "every pipeline has a journal on the disk: service.journal",
        "basicauth": "clients show keys, as basic passwords too: api_keys. Exporters have headers",
        "bearertokenauth": "clients show keys as bearer tokens: api_keys. Exporters have headers",
        "oidc": "the nearest is jwt with jwks_url",
        "headers_setter": "exporters have headers",
        "memory_limiter": "receivers have max_in_flight_bytes",
        "pprof": "Weir has no profiler", "zpages": "the log and the metrics say what passes",
    ]

    private static let keys = [
        "authenticator": "the extension it names has no counterpart; see api_keys and jwt",
        "auth": "the extension it names has no counterpart; see api_keys and jwt",
        "max_request_body_size": "sizes have at most 64MiB",
        "max_elapsed_time": "a delivery tries for ever; what is refused for good goes to the dead letters",
        "error_mode": "a condition that cannot be evaluated is false",
        "compression_algorithms": "gzip, deflate and zstd are taken",
        "response_headers": "answers have no headers of their own", "keep_alives_enabled": "connections are kept",
        "write_timeout": "idle_timeout covers clients that do not read",
        "metrics_url_path": "Weir takes traces", "logs_url_path": "Weir takes traces",
        "transport": "Weir listens on TCP", "include_metadata": "who sends a request is known by its key",
        "address": "it is called endpoint", "readers": "metrics are served at endpoint, for Prometheus",
    ]

    private static let queue = [
        "storage": "every pipeline has a journal on the disk: service.journal",
        "queue_size": "the journal holds what waits: service.journal.max_bytes",
        "enabled": "the journal is always there", "block_on_overflow": "on_full of the exporter decides",
        "sizer": "the journal counts bytes", "wait_for_result": "an answer waits for the journal, not for exporters",
    ]
}
