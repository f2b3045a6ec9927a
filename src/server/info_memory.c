/* INFO memory. */
#include "info_internal.h"

#include "base/mem.h"
#include "script/functions.h"
#include "script/script_cache.h"

#include <stdio.h>
#include <unistd.h>

uint64_t server_rss_bytes(void)
{
    unsigned long long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &ignored, &pages) != 2)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* "1.50M", as Redis shows sizes to people. */
static const char *human(uint64_t bytes, char out[32])
{
    static const char units[] = "BKMGTP";
    double value = (double)bytes;
    int unit = 0;

    while (value >= 1024 && units[unit + 1])
        value /= 1024, unit++;
    if (unit)
        snprintf(out, 32, "%.2f%c", value, units[unit]);
    else
        snprintf(out, 32, "%lluB", u(bytes));
    return out;
}

static double ratio(uint64_t part, uint64_t whole) { return whole ? (double)part / (double)whole : 0; }

static void write_used(struct server *server, struct text *out)
{
    uint64_t used = mem_used(), peak = mem_used_peak(), rss = server_rss_bytes(), startup = server->startup_bytes;
    uint64_t overhead = startup + engine_client_memory(server->engine), dataset;
    char text[3][32];

    for (int i = 0; i < server->store->db_count; i++)
        overhead += store_overhead(&server->store->dbs[i]);
    dataset = used > overhead ? used - overhead : 0;
    text_format(out,
                "used_memory:%llu\r\nused_memory_human:%s\r\nused_memory_rss:%llu\r\n"
                "used_memory_rss_human:%s\r\nused_memory_peak:%llu\r\nused_memory_peak_human:%s\r\n"
                "used_memory_peak_perc:%.2f%%\r\nused_memory_overhead:%llu\r\n"
                "used_memory_startup:%llu\r\nused_memory_dataset:%llu\r\n"
                "used_memory_dataset_perc:%.2f%%\r\n",
                u(used), human(used, text[0]), u(rss), human(rss, text[1]), u(peak),
                human(peak, text[2]), 100 * ratio(used, peak), u(overhead), u(startup), u(dataset),
                100 * ratio(dataset, used > startup ? used - startup : 0));
}

static void write_scripts(struct server *server, struct text *out)
{
    const struct script_cache *cache = scripts_cache(server->engine->scripts);
    const struct functions *functions = server->engine->functions;
    uint64_t vm = script_cache_vm_memory(cache), eval = script_cache_memory(cache);
    uint64_t vm_all = vm + functions_vm_memory(functions), of_functions = functions_memory(functions);
    char text[3][32];

    text_format(out,
                "used_memory_lua:%llu\r\nused_memory_vm_eval:%llu\r\nused_memory_lua_human:%s\r\n"
                "used_memory_scripts_eval:%llu\r\nnumber_of_cached_scripts:%zu\r\n"
                "number_of_functions:%zu\r\nnumber_of_libraries:%zu\r\nused_memory_vm_functions:%llu\r\n"
                "used_memory_vm_total:%llu\r\nused_memory_vm_total_human:%s\r\n"
                "used_memory_functions:%llu\r\nused_memory_scripts:%llu\r\n"
                "used_memory_scripts_human:%s\r\n",
                u(vm), u(vm), human(vm, text[0]), u(eval), script_cache_size(cache),
                functions_libraries(functions)->function_count, libraries_count(functions_libraries(functions)),
                u(vm_all - vm), u(vm_all), human(vm_all, text[1]), u(of_functions), u(eval + of_functions),
                human(eval + of_functions, text[2]));
}

static void write_limits(struct server *server, struct text *out)
{
    uint64_t bytes = server->store->memory_limit;
    struct text policy = {0};
    char human_limit[32];

    config_format_name(server, "maxmemory-policy", &policy);
    text_format(out, "maxmemory:%llu\r\nmaxmemory_human:%s\r\nmaxmemory_policy:%.*s\r\n", u(bytes),
                human(bytes, human_limit), (int)policy.len, policy.data);
    text_release(&policy);
}

static void write_fragmentation(struct server *server, struct text *out)
{
    uint64_t used = mem_used(), active = mem_committed(), rss = server_rss_bytes();

    text_format(out,
                "allocator_frag_ratio:%.2f\r\nallocator_frag_bytes:%llu\r\n"
                "allocator_rss_ratio:1.00\r\nallocator_rss_bytes:0\r\nrss_overhead_ratio:%.2f\r\n"
                "rss_overhead_bytes:%lld\r\nmem_fragmentation_ratio:%.2f\r\n"
                "mem_fragmentation_bytes:%lld\r\nmem_not_counted_for_evict:0\r\n"
                "mem_replication_backlog:0\r\nmem_total_replication_buffers:0\r\n"
                "mem_clients_slaves:0\r\nmem_clients_normal:%zu\r\nmem_cluster_links:0\r\n"
                "mem_aof_buffer:0\r\nmem_allocator:tern-slab\r\nactive_defrag_running:%d\r\n"
                "lazyfree_pending_objects:%zu\r\nlazyfreed_objects:%llu\r\n",
                ratio(active, used), u(active > used ? active - used : 0), ratio(rss, active),
                (long long)rss - (long long)active, ratio(rss, used), (long long)rss - (long long)used,
                engine_client_memory(server->engine), server->store->is_moving,
                store_pending_frees(server->store), u(server->store->stats.freed_later));
}

void info_write_memory(struct server *server, struct text *out)
{
    uint64_t total = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    char human_total[32];

    write_used(server, out);
    text_format(out,
                "allocator_allocated:%zu\r\nallocator_active:%zu\r\nallocator_resident:%zu\r\n"
                "total_system_memory:%llu\r\ntotal_system_memory_human:%s\r\n",
                mem_used(), mem_committed(), mem_committed(), u(total), human(total, human_total));
    write_scripts(server, out);
    write_limits(server, out);
    write_fragmentation(server, out);
}
