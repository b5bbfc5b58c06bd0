#include <gtest/gtest.h>

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <cmath>
#include <limits>

#include "core/api/errors.h"
#include "tests/ui/plot_stage.h"
#include "ui/plot/plot_export.h"

namespace plumbline::ui {
namespace {

// RFC 4180.
std::vector<QStringList> parse_csv(const QByteArray& bytes) {
    std::vector<QStringList> rows(1);
    QByteArray field;
    bool in_quotes = false;
    for (qsizetype i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        if (in_quotes) {
            if (c == '"' && i + 1 < bytes.size() && bytes[i + 1] == '"') {
                field += '"';
                ++i;
            } else if (c == '"') {
                in_quotes = false;
            } else {
                field += c;
            }
        } else if (c == '"') {
            in_quotes = true;
        } else if (c == ',' || c == '\n') {
            rows.back().append(QString::fromUtf8(field));
            field.clear();
            if (c == '\n') {
                rows.emplace_back();
            }
        } else if (c != '\r') {
            field += c;
        }
    }
    rows.pop_back();
    return rows;
}

QByteArray read(const QString& path) {
    QFile file(path);
    EXPECT_TRUE(file.open(QIODevice::ReadOnly)) << qPrintable(path);
    return file.readAll();
}

std::vector<NamedSeries> sample_table() {
    auto curve = std::make_shared<Series>();
    curve->set_factor(0.5);
    curve->append(7, 1, 0.1);
    curve->append(7, 2, 1.0 / 3);
    curve->append(8, 3, std::nan(""));
    curve->append(9, 4, -std::numeric_limits<double>::infinity());
    auto path = std::make_shared<Series>(Smoothing::both);
    path->set_factor(0.5);
    path->append(9, 4, 1, 10);
    path->append(9, 5, 3, 20);
    return {{"loss, \"policy\"", curve}, {"score against kl", path}};
}

TEST(PlotCsv, ReadsBackToTheSameBits) {
    QTemporaryDir folder;
    const QString path = folder.filePath("metrics.csv");
    const std::vector<NamedSeries> table = sample_table();
    save_csv(path, table);
    const std::vector<QStringList> rows = parse_csv(read(path));
    ASSERT_EQ(rows.size(), 7U);
    EXPECT_EQ(rows[0], (QStringList{"name", "label", "step", "x", "raw", "smoothed_x", "smoothed"}));
    EXPECT_EQ(rows[1][0], "loss, \"policy\"");
    EXPECT_EQ(rows[1][1], "7");
    EXPECT_EQ(rows[2][4].toDouble(), 1.0 / 3);
    EXPECT_EQ(rows[2][6].toDouble(), table[0].series->smoothed()[1]);
    EXPECT_EQ(rows[3][4], "nan");
    EXPECT_EQ(rows[3][6], "nan");
    EXPECT_EQ(rows[4][4], "-inf");
    EXPECT_EQ(rows[6][0], "score against kl");
    EXPECT_EQ(rows[6][2], "5");
    EXPECT_EQ(rows[6][3], "3");
    // s_x: 0.5, 1.75 over 0.75.
    EXPECT_DOUBLE_EQ(rows[6][5].toDouble(), 7.0 / 3);
}

TEST(PlotPng, ReadsBackAsItWas) {
    application();
    QTemporaryDir folder;
    const QString path = folder.filePath("plot.png");
    QImage image(40, 30, QImage::Format_RGB32);
    image.fill(QColor("#0072B2"));
    image.setPixelColor(3, 4, Qt::white);
    save_png(path, image);
    EXPECT_EQ(QImage(path).convertToFormat(QImage::Format_RGB32), image);
    EXPECT_EQ(QDir(folder.path()).entryList(QDir::Files).size(), 1);  // nothing half-written beside it
}

TEST(PlotExport, AFolderThatCannotBeWrittenIsNamed) {
    QTemporaryDir folder;
    QFile file(folder.filePath("file"));
    ASSERT_TRUE(file.open(QIODevice::WriteOnly));
    file.close();
    const QString path = folder.filePath("file/metrics.csv");  // inside a file
    try {
        save_csv(path, sample_table());
        FAIL() << "no error";
    } catch (const Error& error) {
        const QString text = QString::fromStdString(error.what());
        EXPECT_TRUE(text.startsWith("save table: ")) << error.what();
        EXPECT_TRUE(text.contains(path)) << error.what();
        EXPECT_TRUE(text.contains("; choose another folder")) << error.what();
    }
}

TEST(PlotExport, AFailureLeavesTheOldFile) {
    QTemporaryDir folder;
    const QString path = folder.filePath("plot.png");
    {
        QFile file(path);
        ASSERT_TRUE(file.open(QIODevice::WriteOnly));
        file.write("before");
    }
    EXPECT_THROW(save_png(path, QImage()), Error);
    EXPECT_EQ(read(path), "before");
}

}  // namespace
}  // namespace plumbline::ui
