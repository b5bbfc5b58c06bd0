// What happened, in order: labels, events, metrics.

#include "core/api/errors.h"
#include "core/store/blobs.h"
#include "core/store/database.h"
#include "core/store/project_file.h"

namespace plumbline {
namespace {

constexpr const char* saving_label = "save label";

}  // namespace

std::int64_t ProjectFile::add_label(const StoredLabel& label) {
    plumbline::Transaction transaction(*db_, saving_label);
    if (label.undoes != 0) {
        Statement standing(*db_, saving_label, "SELECT generation_id FROM standing_labels WHERE id = ?");
        standing.bind(1, label.undoes);
        if (!standing.step() || standing.integer(0) != label.generation_id) {
            throw Error(saving_label, path_.string() + ": label " + std::to_string(label.undoes) +
                                          " of pair " + std::to_string(label.generation_id) +
                                          " does not stand, so it cannot be taken back; choose another one");
        }
    }
    Statement insert(
        *db_, saving_label,
        "INSERT INTO labels (generation_id, choice, unix_time, judge, undoes, strength, places) VALUES (?, ?, ?, ?, ?, ?, ?)");
    const Verdict& verdict = label.verdict;
    insert.bind(1, label.generation_id).bind(2, choice_words.at(static_cast<std::size_t>(verdict.choice)));
    insert.bind(3, label.unix_time).bind(4, label.judge).bind_reference(5, label.undoes);
    insert.bind(6, strength_words.at(static_cast<std::size_t>(verdict.strength)));
    insert.bind(7, list_text(verdict.places)).run();
    const std::int64_t id = db_->last_id();
    transaction.commit();
    return id;
}

std::vector<StoredLabel> ProjectFile::labels(std::int64_t after) const {
    std::vector<StoredLabel> out;
    Statement rows(*db_, "read labels",
                   "SELECT id, generation_id, choice, unix_time, judge, undoes, strength, places FROM labels "
                   "WHERE id > ? ORDER BY id");
    rows.bind(1, after);
    while (rows.step()) {
        const auto choice = enum_of<Choice>(choice_words, rows.text(2));
        const auto strength = enum_of<Strength>(strength_words, rows.text(6));
        const auto places = list_of<int>(rows.text(7));
        if (!choice || !strength || !places) {
            throw Error("read labels", path_.string() + ": label " + std::to_string(rows.integer(0)) +
                                           " has the choice '" + rows.text(2) + "' '" + rows.text(6) + "' '" +
                                           rows.text(7) + "'; the file is damaged, open a copy of it");
        }
        out.push_back({rows.integer(0), rows.integer(1), {*choice, *strength, *places}, rows.real(3), rows.text(4),
                       rows.integer(5)});
    }
    return out;
}

std::int64_t ProjectFile::add_event(const StoredEvent& event) {
    Statement insert(*db_, "save event",
                     "INSERT INTO events (seq, kind, payload, weights_hash) "
                     "SELECT coalesce(max(seq), 0) + 1, ?, ?, ? FROM events");
    insert.bind(1, event.kind).bind(2, event.payload).bind(3, event.weights_hash).run();
    return db_->last_id();
}

std::vector<StoredEvent> ProjectFile::events() const {
    std::vector<StoredEvent> out;
    Statement rows(*db_, "read events", "SELECT seq, kind, payload, weights_hash FROM events ORDER BY seq");
    while (rows.step()) {
        out.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.text(3)});
    }
    return out;
}

std::int64_t ProjectFile::last_event() const {
    return db_->integer("read events", "SELECT max(seq) FROM events");
}

void ProjectFile::add_metrics(const std::vector<MetricPoint>& points) {
    plumbline::Transaction transaction(*db_, "save metrics");
    Statement insert(*db_, "save metrics",
                     "INSERT INTO metrics (label_id, name, x, value) VALUES (?, ?, ?, ?)");
    for (const MetricPoint& point : points) {
        insert.bind_reference(1, point.label_id)
            .bind(2, point.name)
            .bind(3, point.x)
            .bind(4, point.value)
            .run();
    }
    transaction.commit();
}

std::vector<MetricPoint> ProjectFile::metrics() const {
    std::vector<MetricPoint> out;
    Statement rows(*db_, "read metrics",
                   "SELECT name, label_id, x, value FROM metrics WHERE label_id IS NULL OR label_id IN "
                   "(SELECT id FROM standing_labels) ORDER BY id");
    while (rows.step()) {
        out.push_back({rows.text(0), rows.integer(1), rows.real(2), rows.real(3)});
    }
    return out;
}

}  // namespace plumbline
