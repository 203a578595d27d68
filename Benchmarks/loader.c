/* What Weir's exporter to PostgreSQL is measured beside: sends rows that are ready, in COPY's binary format, and does
   nothing else.

   Usage: loader CONNECTION TRANSACTIONS STATEMENT FILE [STATEMENT FILE]…     a FILE is what COPY … TO wrote
   Each transaction gets its share of every file. Prints the rows of the first file, the seconds, and the CPU seconds of
   the server's process. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 19, PIECE = 256 << 10 };

static void require(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "loader: %s\n", what);
    exit(1);
}

static int32_t number(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, 4);
    return (int32_t)ntohl(value);
}

static const uint8_t *next_row(const uint8_t *row) {
    int fields = row[0] << 8 | row[1];
    row += 2;
    while (fields-- > 0) {
        int32_t length = number(row);
        row += 4 + (length < 0 ? 0 : length);
    }
    return row;
}

static double server_cpu(int pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    require(file != NULL, "cannot read the CPU time of the server's process");
    size_t count = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[count] = 0;
    unsigned long user, system;
    require(sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2,
            "cannot understand the CPU time of the server's process");
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void put(PGconn *connection, const uint8_t *bytes, size_t count) {
    for (; count > 0;) {
        int piece = count < PIECE ? (int)count : PIECE;
        require(PQputCopyData(connection, (const char *)bytes, piece) == 1, PQerrorMessage(connection));
        bytes += piece;
        count -= piece;
    }
}

/* A file, and where the rows of each transaction begin in it; the last one is where they end. */
struct table {
    const char *statement;
    const uint8_t *all, **starts;
    long rows;
};

static struct table prepare(const char *statement, const char *path, long transactions) {
    int file = open(path, O_RDONLY);
    struct stat status;
    require(file >= 0 && fstat(file, &status) == 0, "cannot read a file");
    const uint8_t *all = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    require(all != MAP_FAILED, "cannot map a file");
    const uint8_t *row = all + HEADER, *end = all + status.st_size - 2;
    struct table table = {statement, all, calloc(transactions + 1, sizeof *table.starts), 0};
    for (; row < end; row = next_row(row)) table.rows++;
    row = all + HEADER;
    for (long index = 0, done = 0; index < transactions; index++) {
        table.starts[index] = row;
        for (; done < table.rows * (index + 1) / transactions; done++) row = next_row(row);
    }
    table.starts[transactions] = end;
    return table;
}

static void run(PGconn *connection, const char *statement, ExecStatusType wanted) {
    PGresult *result = PQexec(connection, statement);
    require(PQresultStatus(result) == wanted, PQerrorMessage(connection));
    PQclear(result);
}

static void copy(PGconn *connection, const struct table *table, long index) {
    const uint8_t *start = table->starts[index], *end = table->starts[index + 1];
    if (start == end) return;
    run(connection, table->statement, PGRES_COPY_IN);
    put(connection, table->all, HEADER);
    put(connection, start, end - start);
    put(connection, (const uint8_t *)"\377\377", 2);
    require(PQputCopyEnd(connection, NULL) == 1, PQerrorMessage(connection));
    PGresult *result;
    while ((result = PQgetResult(connection)) != NULL) {
        require(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(connection));
        PQclear(result);
    }
}

int main(int count, char **arguments) {
    require(count >= 5 && count % 2 == 1, "wanted CONNECTION TRANSACTIONS and pairs of STATEMENT FILE");
    long transactions = atol(arguments[2]);
    int tables = (count - 3) / 2;
    struct table prepared[8];
    require(transactions > 0 && tables <= 8, "wanted a number of transactions and at most 8 tables");
    for (int index = 0; index < tables; index++)
        prepared[index] = prepare(arguments[3 + 2 * index], arguments[4 + 2 * index], transactions);

    PGconn *connection = PQconnectdb(arguments[1]);
    require(PQstatus(connection) == CONNECTION_OK, PQerrorMessage(connection));
    int pid = PQbackendPID(connection);
    double start = now(), before = server_cpu(pid);
    for (long transaction = 0; transaction < transactions; transaction++) {
        run(connection, "BEGIN", PGRES_COMMAND_OK);
        for (int index = 0; index < tables; index++) copy(connection, &prepared[index], transaction);
        run(connection, "COMMIT", PGRES_COMMAND_OK);
    }
    printf("%ld %.6f %.6f\n", prepared[0].rows, now() - start, server_cpu(pid) - before);
    PQfinish(connection);
}
