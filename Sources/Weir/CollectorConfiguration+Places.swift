extension CollectorConfiguration {
    /// What Weir keeps on this machine: the directories of journals, hot tables, archives and recalls, and the files of
    /// key stores. The register of erasures stands beside them.
    var places: [String] {
        let written = exporters.compactMap { definition -> String? in
            switch definition.configuration {
            case let tables as ExporterConfiguration<SQLiteExporter>: tables.own.directory
            case let archive as ExporterConfiguration<ArchiveExporter>: archive.own.directory
            default: nil
            }
        }
        let recalls = processors.compactMap { ($0.configuration as? TailSamplingConfiguration)?.recall?.directory }
        let stores = extensions.compactMap { ($0.configuration as? KeystoreConfiguration)?.path }
        return [service.journal.directory] + written + recalls + stores
    }
}
