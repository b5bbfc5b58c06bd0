#include "core/store/metric_rows.h"

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "core/formats/csv.h"

namespace plumbline {
namespace {

constexpr std::string_view of_labels = "reward/";         // metrics whose x is labels, not policy steps
constexpr std::string_view of_pairs = "reward/predicted";  // several a label: what reward/loss is made from

struct Row {
    std::int64_t label = 0;
    std::optional<double> labels, step;
    std::map<std::string, double> values;
};

std::string number(std::optional<double> value) {
    if (!value || !std::isfinite(*value)) return "";
    std::array<char, 32> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), *value);
    return {text.data(), end};
}

/// Points come in the order in which they were made: those of the reward model, then those of each step.
std::vector<Row> rows_of(const std::vector<MetricPoint>& points) {
    std::vector<Row> out;
    for (const MetricPoint& point : points) {
        if (point.name == of_pairs) continue;
        const bool is_reward = point.name.starts_with(of_labels);
        const auto fits = [&](const Row& row) {
            const std::optional<double>& x = is_reward ? row.labels : row.step;
            return row.label == point.label_id && (!x || *x == point.x) && !row.values.contains(point.name);
        };
        if (out.empty() || !fits(out.back())) out.push_back({point.label_id, {}, {}, {}});
        (is_reward ? out.back().labels : out.back().step) = point.x;
        out.back().values[point.name] = point.value;
    }
    return out;
}

}  // namespace

std::vector<std::string> metric_rows(const std::vector<MetricPoint>& points) {
    const std::vector<Row> rows = rows_of(points);
    std::map<std::string, bool> names;
    for (const Row& row : rows) {
        for (const auto& [name, value] : row.values) names[name] = true;
    }
    std::string header = "step,label,labels";
    for (const auto& [name, used] : names) header += "," + csv_cell(name);
    std::vector<std::string> out{header + "\r\n"};
    for (const Row& row : rows) {
        std::string line = number(row.step) + "," + (row.label == 0 ? "" : std::to_string(row.label)) + "," + number(row.labels);
        for (const auto& [name, used] : names) {
            const auto value = row.values.find(name);
            line += "," + (value == row.values.end() ? std::string() : number(value->second));
        }
        out.push_back(line + "\r\n");
    }
    return out;
}

}  // namespace plumbline
