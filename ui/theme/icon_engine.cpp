#include "ui/theme/icon_engine.h"

#include <QFile>
#include <QPainter>
#include <QPixmap>
#include <QSvgRenderer>

namespace plumbline::ui {

IconEngine::IconEngine(const Theme& theme, const QString& name, Tone tone) : theme_(&theme), tone_(tone) {
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (file.open(QIODevice::ReadOnly)) {
        svg_ = file.readAll();
    } else {
        qWarning("icon: there is no %s.svg in resources/icons", qUtf8Printable(name));
    }
}

void IconEngine::paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) {
    if (svg_.isEmpty()) {
        return;
    }
    const QColor color = theme_->color(mode == QIcon::Disabled ? Tone::disabled : tone_);
    QByteArray tinted = svg_;
    tinted.replace("currentColor", color.name().toLatin1());
    QSvgRenderer renderer(tinted);
    renderer.setAspectRatioMode(Qt::KeepAspectRatio);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    renderer.render(painter, rect);
    painter->restore();
}

QPixmap IconEngine::pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) {
    QPixmap pixmap(size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paint(&painter, QRect(QPoint(0, 0), size), mode, state);
    return pixmap;
}

}  // namespace plumbline::ui
