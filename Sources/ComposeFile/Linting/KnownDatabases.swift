/// Databases by the image that is commonly run and the port that they listen on.
enum KnownDatabases {
    struct Database: Sendable {
        var title: String
        var ports: Set<String>
    }

    /// By the last part of the image's name.
    static let byImage: [String: Database] = {
        var result: [String: Database] = [:]
        func add(_ title: String, _ ports: Set<String>, _ images: String...) {
            for image in images { result[image] = Database(title: title, ports: ports) }
        }
        add("PostgreSQL", ["5432"], "postgres", "postgresql", "postgis", "timescaledb", "pgvector", "pgbouncer")
        add("MySQL", ["3306", "33060"], "mysql", "mysql-server", "percona", "percona-server")
        add("MariaDB", ["3306"], "mariadb")
        add("MongoDB", ["27017", "27018", "27019"], "mongo", "mongodb", "mongodb-community-server")
        add("Redis", ["6379"], "redis", "redis-stack", "redis-stack-server", "keydb", "dragonfly")
        add("Valkey", ["6379"], "valkey")
        add("Memcached", ["11211"], "memcached")
        add("Elasticsearch", ["9200", "9300"], "elasticsearch", "elasticsearch-oss")
        add("OpenSearch", ["9200", "9300"], "opensearch")
        add("Cassandra", ["9042", "9160", "7000"], "cassandra", "scylla")
        add("CouchDB", ["5984"], "couchdb")
        add("InfluxDB", ["8086"], "influxdb")
        add("Neo4j", ["7474", "7687"], "neo4j")
        add("ClickHouse", ["8123", "9000", "9440"], "clickhouse", "clickhouse-server")
        add("SQL Server", ["1433"], "server", "azure-sql-edge", "mssql-server-linux")
        add("CockroachDB", ["26257"], "cockroach")
        add("etcd", ["2379", "2380"], "etcd")
        add("RethinkDB", ["28015"], "rethinkdb")
        return result
    }()

    /// Ports that nothing else commonly listens on, for images of other names.
    static let byPort: [String: String] = [
        "5432": "PostgreSQL", "3306": "MySQL", "27017": "MongoDB", "6379": "Redis", "11211": "Memcached",
        "1433": "SQL Server", "9042": "Cassandra", "5984": "CouchDB", "26257": "CockroachDB",
    ]
}

/// The parts of an image reference that the linter looks at.
struct ImageName {
    /// The last part of the name, without registry and tag: `postgres`.
    var base: String
    var tag: String?
    var hasDigest: Bool

    init(_ reference: String) {
        var rest = reference[...]
        hasDigest = false
        if let at = rest.firstIndex(of: "@") {
            hasDigest = true
            rest = rest[..<at]
        }
        let last = rest.split(separator: "/", omittingEmptySubsequences: false).last ?? rest
        if let colon = last.firstIndex(of: ":") {
            base = String(last[..<colon])
            tag = String(last[last.index(after: colon)...])
        } else {
            base = String(last)
        }
    }
}
