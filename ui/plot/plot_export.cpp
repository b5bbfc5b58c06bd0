#include "ui/plot/plot_export.h"

#include <QBuffer>
#include <QDir>
#include <QSaveFile>
#include <charconv>
#include <cmath>
#include <string>
#include <system_error>

#include "core/api/errors.h"

namespace plumbline::ui {

namespace {

void save(const std::string& operation, const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    const auto fail = [&] {
        const QString reason = file.errorString();
        throw Error(operation, QDir::toNativeSeparators(path).toStdString() + ": " + reason.toStdString() +
                                   "; choose another folder or free some space");
    };
    if (!file.open(QIODevice::WriteOnly)) {
        fail();
    }
    if (file.write(bytes) != bytes.size() || !file.commit()) {
        fail();
    }
}

void append_number(QByteArray& out, double value) {
    if (std::isnan(value)) {
        out += "nan";  // to_chars would write the sign of one
        return;
    }
    char text[32];
    const std::to_chars_result end = std::to_chars(text, text + sizeof text, value);
    out.append(text, end.ptr - text);
}

QByteArray quoted(const QString& name) {
    QByteArray text = name.toUtf8();
    const bool plain =
        !text.contains(',') && !text.contains('"') && !text.contains('\n') && !text.contains('\r');
    return plain ? text : '"' + text.replace('"', "\"\"") + '"';
}

}  // namespace

void save_png(const QString& path, const QImage& image) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    if (image.isNull() || !image.save(&buffer, "PNG")) {
        throw Error("save picture", "an image of " + std::to_string(image.width()) + " x " +
                                        std::to_string(image.height()) +
                                        " pixels cannot be written; choose a smaller one");
    }
    save("save picture", path, bytes);
}

QByteArray to_csv(const std::vector<NamedSeries>& table) {
    QByteArray out = "name,label,step,x,raw,smoothed_x,smoothed\r\n";
    for (const NamedSeries& row : table) {
        const QByteArray name = quoted(row.name);
        const Series& series = *row.series;
        for (std::size_t i = 0; i < series.size(); ++i) {
            out += name;
            out += ',' + QByteArray::number(static_cast<qlonglong>(series.labels()[i]));
            for (const double value : {series.steps()[i], series.x()[i], series.values()[i],
                                       series.smoothed_x()[i], series.smoothed()[i]}) {
                out += ',';
                append_number(out, value);
            }
            out += "\r\n";
        }
    }
    return out;
}

void save_csv(const QString& path, const std::vector<NamedSeries>& table) {
    save("save table", path, to_csv(table));
}

}  // namespace plumbline::ui
