/* What Weir's exporter to PostgreSQL is measured beside: sends rows that are ready, in COPY's binary format, and does
   nothing else.

   Usage: loader CONNECTION STATEMENT FILE ROWS     FILE is what COPY … TO wrote, ROWS is how many a transaction has
   Prints the rows, the seconds, and the CPU seconds of the server's process. */
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

int main(int count, char **arguments) {
    require(count == 5, "wanted CONNECTION STATEMENT FILE ROWS");
    int file = open(arguments[3], O_RDONLY);
    struct stat status;
    require(file >= 0 && fstat(file, &status) == 0, "cannot read the file");
    const uint8_t *all = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    require(all != MAP_FAILED, "cannot map the file");
    const uint8_t *end = all + status.st_size - 2;
    long rows_per_transaction = atol(arguments[4]), rows = 0;
    // Where each transaction's rows begin, found before the clock runs.
    size_t transactions = 0, room = 1 << 20;
    const uint8_t **starts = malloc(room * sizeof *starts);
    for (const uint8_t *row = all + HEADER; row < end; row = next_row(row), rows++)
        if (rows % rows_per_transaction == 0) {
            require(transactions + 1 < room, "too many transactions");
            starts[transactions++] = row;
        }
    starts[transactions] = end;

    PGconn *connection = PQconnectdb(arguments[1]);
    require(PQstatus(connection) == CONNECTION_OK, PQerrorMessage(connection));
    int pid = PQbackendPID(connection);
    double start = now(), before = server_cpu(pid);
    for (size_t index = 0; index < transactions; index++) {
        PGresult *result = PQexec(connection, arguments[2]);
        require(PQresultStatus(result) == PGRES_COPY_IN, PQerrorMessage(connection));
        PQclear(result);
        put(connection, all, HEADER);
        put(connection, starts[index], starts[index + 1] - starts[index]);
        put(connection, (const uint8_t *)"\377\377", 2);
        require(PQputCopyEnd(connection, NULL) == 1, PQerrorMessage(connection));
        while ((result = PQgetResult(connection)) != NULL) {
            require(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(connection));
            PQclear(result);
        }
    }
    printf("%ld %.6f %.6f\n", rows, now() - start, server_cpu(pid) - before);
    PQfinish(connection);
}
