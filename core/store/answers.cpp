#include "core/store/answers.h"

#include <algorithm>
#include <map>

#include "core/api/errors.h"
#include "core/store/blobs.h"
#include "core/store/database.h"
#include "core/store/message_list.h"

namespace plumbline {

void for_each_answer(const ProjectFile& file, std::int64_t after, std::int64_t last,
                     const std::function<void(std::int64_t, const Answer&, double)>& visit) {
    constexpr const char* reading = "read labels";
    Database& db = *file.db_;
    const auto damaged = [&](const std::string& what) {
        throw Error(reading, file.path().string() + ": " + what + "; the file is damaged, open a copy of it");
    };
    Statement rows(db, reading,
                   "SELECT l.id, l.choice, l.strength, l.places, l.unix_time, l.judge, g.id, g.system_prompt, g.earlier, "
                   "p.text, g.left_id, g.right_id, g.more_ids FROM standing_labels AS l "
                   "JOIN generations AS g ON g.id = l.generation_id JOIN prompts AS p ON p.id = g.prompt_id "
                   "WHERE l.id > ? AND l.id <= ? ORDER BY l.id");
    Statement texts(db, reading, "SELECT id, text FROM candidates WHERE generation_id = ?");
    rows.bind(1, after).bind(2, last);
    const std::int64_t end = std::min(last, db.integer(reading, "SELECT coalesce(max(id), 0) FROM labels"));
    while (rows.step()) {
        const std::int64_t id = rows.integer(0);
        const auto choice = enum_of<Choice>(choice_words, rows.text(1));
        const auto strength = enum_of<Strength>(strength_words, rows.text(2));
        const auto places = list_of<int>(rows.text(3));
        const auto more = list_of<std::int64_t>(rows.text(12));
        auto earlier = messages_from(rows.text(8));
        if (!choice || !strength || !places || !more || !earlier) damaged("label " + std::to_string(id) + " cannot be read");
        Answer answer;
        answer.system_prompt = rows.text(7);
        answer.earlier = std::move(*earlier);
        answer.prompt = rows.text(9);
        answer.verdict = {*choice, *strength, *places};
        answer.unix_time = rows.real(4);
        answer.judge = rows.text(5);
        std::map<std::int64_t, std::string> by_id;
        texts.again().bind(1, rows.integer(6));
        while (texts.step()) by_id[texts.integer(0)] = texts.text(1);
        std::vector<std::int64_t> shown{rows.integer(10)};
        if (rows.integer(11) != shown[0]) shown.push_back(rows.integer(11));
        shown.insert(shown.end(), more->begin(), more->end());
        for (const std::int64_t reply : shown) {
            const auto found = by_id.find(reply);
            if (found == by_id.end()) damaged("label " + std::to_string(id) + " is about reply " + std::to_string(reply) + ", which is not there");
            answer.replies.push_back(std::move(found->second));
        }
        visit(id, answer, static_cast<double>(id - after) / static_cast<double>(std::max<std::int64_t>(1, end - after)));
    }
}

std::vector<Message> messages_before(const Answer& answer) {
    std::vector<Message> out;
    if (!answer.system_prompt.empty()) out.push_back({"system", answer.system_prompt});
    out.insert(out.end(), answer.earlier.begin(), answer.earlier.end());
    out.push_back({"user", answer.prompt});
    return out;
}

}  // namespace plumbline
