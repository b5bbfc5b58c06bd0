#pragma once
// A work that would not fit into the machine's memory is refused before it begins.

#include <cstdint>
#include <string>

#include "core/api/offline.h"
#include "core/api/stage_configs.h"
#include "core/lab/memory_need.h"

namespace plumbline {

/// Bytes that this process may reach: what the system has free, and what the process holds already.
std::int64_t reachable_memory();
/// What work with these options may need, bytes: their own limit, or what is free on their device.
std::int64_t memory_limit(const EngineOptions& options);

/// Throws Error "<operation>: <what> needs about N MB ..." when `need` is more than `limit`.
void require_memory(const std::string& operation, const std::string& what, std::int64_t need,
                    std::int64_t limit);

/// `bench` draws replies for this: its rows are a prompt and a reply, not a pair's.
bool runs_samples(BenchWhat what);
/// What `bench` does.
MemoryWork bench_memory(BenchWhat what, const BenchConfig& config, const DecoderConfig& model);
/// What a stage of `train` does, one backward pass holding `graph_rows`.
MemoryWork stage_memory(const StageConfig& config, const DecoderConfig& model, std::int64_t graph_rows);
/// What a live session does; its prompts' lengths are guessed from the system prompt.
MemoryWork session_memory(const SessionConfig& config, const DecoderConfig& model);

/// The model's sizes, then require_memory() for `work`: all that can be said before weights are read. Returns the
/// need.
std::int64_t require_memory_for(const std::string& operation, const std::string& what,
                                const std::filesystem::path& file, const std::string& dtype,
                                const std::function<MemoryWork(const DecoderConfig&)>& work,
                                std::int64_t limit);

}  // namespace plumbline
